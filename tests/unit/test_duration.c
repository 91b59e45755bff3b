/* SPDX-License-Identifier: ISC */
/* Durations and times: what people type; and the printers, compared with the C library's. */
#include "lib/lease/duration.h"
#include "lib/lease/time_text.h"

#include "tests/unit/helpers.h"

#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* As rules, so that no time zone files are needed. */
#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"
#define NEW_YORK "EST5EDT,M3.2.0,M11.1.0"

enum { REFUSED = -1, DAY_S = 86400 };

static void durations(void **state)
{
    static const struct {
        const char *what, *text;
        int64_t seconds;
    } rows[] = {
        {"smallest accepted", "1s", 1},
        {"zero", "0s", REFUSED},
        {"zero in every unit", "0w0d0h0m0s", REFUSED},
        {"seconds", "90s", 90},
        {"minutes", "15m", 900},
        {"hours", "12h", 43200},
        {"days", "7d", 7 * DAY_S},
        {"weeks", "2w", 14 * DAY_S},
        {"sum", "1d12h", DAY_S + 43200},
        {"every unit", "1w1d1h1m1s", 8 * DAY_S + 3661},
        {"a zero within a sum", "1d0h5m", DAY_S + 300},
        {"more than the next unit", "36h", 129600},
        {"leading zeros", "007d", 7 * DAY_S},
        {"a hundred years, largest accepted", "36500d", INT64_C(36500) * DAY_S},
        {"a second more", "36500d1s", REFUSED},
        {"a day more", "36501d", REFUSED},
        {"in seconds, largest accepted", "3153600000s", INT64_C(36500) * DAY_S},
        {"in seconds, smallest refused", "3153600001s", REFUSED},
        {"in weeks, largest accepted", "5214w2d", INT64_C(36500) * DAY_S},
        {"in weeks, smallest refused", "5215w", REFUSED},
        {"past 32 bits", "4294967297s", REFUSED},
        {"past 64 bits", "18446744073709551617s", REFUSED},
        {"past 64 bits in weeks", "99999999999999999999w", REFUSED},
        {"smaller unit first", "12h1d", REFUSED},
        {"unit twice", "1d1d", REFUSED},
        {"no unit", "60", REFUSED},
        {"sum without the last unit", "1d12", REFUSED},
        {"unit alone", "d", REFUSED},
        {"empty", "", REFUSED},
        {"upper case", "1D", REFUSED},
        {"no such unit", "1y", REFUSED},
        {"months are no unit", "1M", REFUSED},
        {"negative", "-1d", REFUSED},
        {"plus", "+1d", REFUSED},
        {"fraction", "1.5d", REFUSED},
        {"blank between", "1d 12h", REFUSED},
        {"blank before", " 1d", REFUSED},
        {"blank after", "1d ", REFUSED},
        {"never", "none", REFUSED},
        {"hexadecimal", "0x10s", REFUSED},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t seconds = -7;
        int rc = duration_parse(rows[i].text, &seconds);
        CHECK(rows[i].what, rc == (rows[i].seconds == REFUSED ? -1 : 0));
        if (rc == 0 || seconds != -7)
            CHECK(rows[i].what, seconds == rows[i].seconds);
    }
}

static void set_zone(const char *zone)
{
    assert_int_equal(setenv("TZ", zone, 1), 0);
    tzset();
}

static void times(void **state)
{
    static const struct {
        const char *what, *text, *zone;
        int64_t time_s;
    } rows[] = {
        {"the epoch", "1970-01-01T00:00:00Z", "UTC", 0},
        {"a second before it, by offset", "1970-01-01T00:59:59+01:00", "UTC", REFUSED},
        {"the epoch, by offset", "1970-01-01T01:00:00+01:00", "UTC", 0},
        {"a year before it", "1969-12-31T23:59:59Z", "UTC", REFUSED},
        {"a year before it, reached by offset", "1969-12-31T23:59:59-01:00", "UTC", REFUSED},
        {"contract's example", "2026-12-01T18:00:00Z", "UTC", 1796148000},
        {"RFC 3339 ignores the zone", "2026-12-01T18:00:00Z", NEW_YORK, 1796148000},
        {"lower case", "2026-12-01t18:00:00z", "UTC", 1796148000},
        {"offset east", "2026-12-01T19:30:00+01:30", "UTC", 1796148000},
        {"offset west", "2026-12-01T13:00:00-05:00", "UTC", 1796148000},
        {"offset -00:00", "2026-12-01T18:00:00-00:00", "UTC", 1796148000},
        {"offset 23:59, largest accepted", "2026-12-02T17:59:00+23:59", "UTC", 1796148000},
        {"offset 24:00", "2026-12-02T18:00:00+24:00", "UTC", REFUSED},
        {"offset of 60 minutes", "2026-12-01T18:00:00+01:60", "UTC", REFUSED},
        {"offset without colon", "2026-12-01T19:00:00+0100", "UTC", REFUSED},
        {"offset of hours", "2026-12-01T19:00:00+01", "UTC", REFUSED},
        {"no offset", "2026-12-01T18:00:00", "UTC", REFUSED},
        {"fraction", "2026-12-01T18:00:00.5Z", "UTC", REFUSED},
        {"no seconds", "2026-12-01T18:00Z", "UTC", REFUSED},
        {"last second of a day", "2026-12-01T23:59:59Z", "UTC", 1796169599},
        {"hour 24", "2026-12-01T24:00:00Z", "UTC", REFUSED},
        {"minute 60", "2026-12-01T18:60:00Z", "UTC", REFUSED},
        {"leap second", "2026-12-31T23:59:60Z", "UTC", REFUSED},
        {"month 0", "2026-00-01T00:00:00Z", "UTC", REFUSED},
        {"month 13", "2026-13-01T00:00:00Z", "UTC", REFUSED},
        {"day 0", "2026-12-00T00:00:00Z", "UTC", REFUSED},
        {"31 April", "2026-04-31T00:00:00Z", "UTC", REFUSED},
        {"30 April", "2026-04-30T00:00:00Z", "UTC", 1777507200},
        {"29 February of a year without", "2027-02-29T00:00:00Z", "UTC", REFUSED},
        {"29 February of a leap year", "2028-02-29T00:00:00Z", "UTC", 1835395200},
        {"29 February 2100", "2100-02-29T00:00:00Z", "UTC", REFUSED},
        {"29 February 2000", "2000-02-29T00:00:00Z", "UTC", 951782400},
        {"29 February 2400", "2400-02-29T00:00:00Z", "UTC", INT64_C(13574563200)},
        {"past 32 bits", "2038-01-19T03:14:08Z", "UTC", INT64_C(2147483648)},
        {"last time, largest accepted", "9999-12-31T23:59:59Z", "UTC", TIME_MAX_S},
        {"an hour past it, by offset", "9999-12-31T23:59:59-01:00", "UTC", REFUSED},
        {"five digits of year", "10000-01-01T00:00:00Z", "UTC", REFUSED},
        {"two digits of year", "26-12-01T18:00:00Z", "UTC", REFUSED},
        {"one digit of month", "2026-1-01T18:00:00Z", "UTC", REFUSED},
        {"sshd's form", "20261201180000Z", "UTC", REFUSED},
        {"epoch seconds", "1796148000", "UTC", REFUSED},
        {"text after", "2026-12-01T18:00:00Z ", "UTC", REFUSED},
        {"text before", " 2026-12-01T18:00:00Z", "UTC", REFUSED},
        {"negative year", "-026-12-01T18:00:00Z", "UTC", REFUSED},
        {"blanks for digits", "2026-12- 1T18:00:00Z", "UTC", REFUSED},
        {"empty", "", "UTC", REFUSED},
        {"now", "now", "UTC", REFUSED},

        {"bare date is its last second", "2026-12-01", "UTC", 1796169599},
        {"bare date east", "2026-12-01", BERLIN, 1796165999},
        {"bare date west", "2026-12-01", NEW_YORK, 1796187599},
        {"bare date in summer time", "2026-07-01", BERLIN, 1782943199},
        {"the day the clock goes back", "2026-10-25", BERLIN, 1792969199},
        {"bare leap day", "2028-02-29", "UTC", 1835481599},
        {"a bare date that does not exist", "2027-02-29", "UTC", REFUSED},
        {"date and clock", "2026-12-01 18:00", "UTC", 1796148000},
        {"date and clock, local", "2026-12-01 19:00", BERLIN, 1796148000},
        {"date and clock in summer time", "2026-07-01 02:00", BERLIN, 1782864000},
        {"date, clock, seconds", "2026-12-01 18:00:00", "UTC", REFUSED},
        {"date, clock, offset", "2026-12-01 18:00Z", "UTC", REFUSED},
        {"date, two blanks, clock", "2026-12-01  18:00", "UTC", REFUSED},
        {"date and blank", "2026-12-01 ", "UTC", REFUSED},
        {"clock 23:59", "2026-12-01 23:59", "UTC", 1796169540},
        {"clock 24:00", "2026-12-01 24:00", "UTC", REFUSED},
        {"one digit of hour", "2026-12-01 9:00", "UTC", REFUSED},
        {"local time before the epoch", "1970-01-01 00:00", BERLIN, REFUSED},
        {"local time past the last", "9999-12-31", NEW_YORK, REFUSED},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t time_s = -7;
        set_zone(rows[i].zone);
        int rc = time_parse(rows[i].text, &time_s);
        if (rc != (rows[i].time_s == REFUSED ? -1 : 0) || (rc == 0 && time_s != rows[i].time_s))
            fail_msg("%s: '%s' gave %d, %lld", rows[i].what, rows[i].text, rc, (long long)time_s);
        if (rc != 0)
            CHECK(rows[i].what, time_s == -7);
    }
    set_zone("UTC");
}

static void compare_sshd(int64_t time_s)
{
    char got[TIME_TEXT_BYTES], want[TIME_TEXT_BYTES];
    time_t t = time_s;
    struct tm tm;
    gmtime_r(&t, &tm);
    strftime(want, sizeof(want), "%Y%m%d%H%M%SZ", &tm);
    time_format_sshd(time_s, got);
    if (strcmp(got, want) != 0)
        fail_msg("%lld: got %s, want %s", (long long)time_s, got, want);
}

static void sshd_times(void **state)
{
    static const char *const marks[] = {
        "1970-01-01T00:00:00Z", "1971-01-01T00:00:00Z", "1972-02-29T00:00:00Z",
        "1972-03-01T00:00:00Z", "2000-02-29T00:00:00Z", "2000-03-01T00:00:00Z",
        "2001-01-01T00:00:00Z", "2026-11-27T18:00:00Z", "2027-01-01T00:00:00Z",
        "2038-01-19T03:14:08Z", "2100-02-28T00:00:00Z", "2100-03-01T00:00:00Z",
        "2106-02-07T06:28:16Z", "2200-03-01T00:00:00Z", "2300-03-01T00:00:00Z",
        "2400-02-29T00:00:00Z", "2400-03-01T00:00:00Z", "2401-01-01T00:00:00Z",
        "9999-01-01T00:00:00Z", "9999-12-31T00:00:00Z",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(marks); i++) {
        int64_t at;
        assert_int_equal(time_parse(marks[i], &at), 0);
        for (int64_t off = -2; off <= 2; off++)
            if (at + off >= 0)
                compare_sshd(at + off);
        compare_sshd(at + DAY_S - 1);
    }
    compare_sshd(TIME_MAX_S);
    /* Both ends of every day up to 2500, then steps that fall on no rhythm of the calendar. */
    for (int64_t day = 0; day < INT64_C(193800); day++) {
        compare_sshd(day * DAY_S);
        compare_sshd(day * DAY_S + DAY_S - 1);
    }
    for (int64_t at = 0; at <= TIME_MAX_S; at += 1299709)
        compare_sshd(at);
}

/* Reads expiry-time as an sshd before 9.1 does: into a struct tm of zeros, so tm_isdst is 0. */
static int64_t read_by_sshd(const char *text)
{
    char spaced[32];
    struct tm tm;
    memset(&tm, 0, sizeof(tm));
    (void)snprintf(spaced, sizeof(spaced), "%.4s-%.2s-%.2sT%.2s:%.2s:%.2s", text, text + 4,
                   text + 6, text + 8, text + 10, text + 12);
    const char *end = strptime(spaced, "%Y-%m-%dT%H:%M:%S", &tm);
    return strlen(text) == 14 && end != NULL && *end == '\0' ? mktime(&tm) : -1;
}

enum { JANUARY_2026_S = 1767225600, DECEMBER_25_2011_S = 1324771200 };

/* Tries each hour of two years; returns how often the local time itself would be read too late. */
static unsigned compare_local(const char *zone)
{
    unsigned late = 0;
    set_zone(zone);
    for (int64_t at = JANUARY_2026_S; at < JANUARY_2026_S + 2 * 365 * INT64_C(86400); at += 3600) {
        char text[TIME_TEXT_BYTES], wall[TIME_TEXT_BYTES];
        time_t t = at;
        struct tm tm;
        time_format_sshd_local(at, text);
        if (read_by_sshd(text) != at)
            fail_msg("%s: %lld is printed as %s, which sshd reads as %lld", zone, (long long)at,
                     text, (long long)read_by_sshd(text));
        localtime_r(&t, &tm);
        strftime(wall, sizeof(wall), "%Y%m%d%H%M%S", &tm);
        late += read_by_sshd(wall) > at;
    }
    return late;
}

static void sshd_local_times(void **state)
{
    static const struct {
        const char *name, *rule;
        bool summer_is_late; /* with Dublin's rule it is winter that is not standard time */
    } zones[] = {
        {"Europe/Berlin", BERLIN, true},
        {"America/New_York", NEW_YORK, true},
        {"Australia/Lord_Howe", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", true},
        {"Europe/Dublin", "IST-1GMT0,M10.5.0,M3.5.0/1", false},
        {"UTC", "UTC0", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(zones); i++) {
        char file[64];
        bool late = compare_local(zones[i].rule) > 4000;
        CHECK(zones[i].name, late == zones[i].summer_is_late);
        (void)snprintf(file, sizeof(file), "/usr/share/zoneinfo/%s", zones[i].name);
        if (access(file, R_OK) == 0)
            (void)compare_local(zones[i].name);
    }
    /* The zone crossed the date line and had no 30 December. */
    set_zone("Pacific/Apia");
    for (int64_t at = DECEMBER_25_2011_S; at < DECEMBER_25_2011_S + 10 * DAY_S; at += 600) {
        char text[TIME_TEXT_BYTES];
        time_format_sshd_local(at, text);
        int64_t read_s = read_by_sshd(text);
        if (read_s > at || read_s < at - 2 * DAY_S)
            fail_msg("Apia: %lld is printed as %s, which sshd reads as %lld", (long long)at, text,
                     (long long)read_s);
    }
    set_zone("UTC");
}

static void printers_clamp(void **state)
{
    char text[TIME_TEXT_BYTES];
    (void)state;
    set_zone("UTC");
    time_format_sshd(INT64_MIN, text);
    assert_string_equal(text, "19700101000000Z");
    time_format_sshd(INT64_MAX, text);
    assert_string_equal(text, "99991231235959Z");
    time_format_rfc3339(-1, text);
    assert_string_equal(text, "1970-01-01T00:00:00Z");
    time_format_rfc3339(TIME_MAX_S + 1, text);
    assert_string_equal(text, "9999-12-31T23:59:59Z");
    time_format_local(INT64_MIN, text);
    assert_string_equal(text, "1970-01-01 00:00");
}

static void printed_times(void **state)
{
    static const struct {
        const char *what, *zone;
        int64_t time_s;
        const char *rfc3339, *local, *zone_text;
    } rows[] = {
        {"contract's example", BERLIN, 1796148000, "2026-12-01T18:00:00Z", "2026-12-01 19:00",
         "+01:00"},
        {"west, the day before", NEW_YORK, 1796083200, "2026-12-01T00:00:00Z", "2026-11-30 19:00",
         "-05:00"},
        {"summer time", BERLIN, 1782864000, "2026-07-01T00:00:00Z", "2026-07-01 02:00", "+02:00"},
        {"a zone of half an hour", "XXX-5:30", 0, "1970-01-01T00:00:00Z", "1970-01-01 05:30",
         "+05:30"},
        {"less than an hour west", "XXX0:45", 2700, "1970-01-01T00:45:00Z", "1970-01-01 00:00",
         "-00:45"},
        {"epoch", "UTC", 0, "1970-01-01T00:00:00Z", "1970-01-01 00:00", ""},
        {"last", "UTC", TIME_MAX_S, "9999-12-31T23:59:59Z", "9999-12-31 23:59", ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[TIME_TEXT_BYTES];
        int64_t again;
        set_zone(rows[i].zone);
        time_format_rfc3339(rows[i].time_s, text);
        CHECK_TEXT(rows[i].what, text, rows[i].rfc3339);
        CHECK(rows[i].what, time_parse(text, &again) == 0 && again == rows[i].time_s);
        time_format_local(rows[i].time_s, text);
        CHECK_TEXT(rows[i].what, text, rows[i].local);
        time_format_zoned(rows[i].time_s, text);
        CHECK(rows[i].what, strncmp(text, rows[i].local, strlen(rows[i].local)) == 0);
        CHECK(rows[i].what, strncmp(text + strlen(rows[i].local), " UTC", 4) == 0);
        CHECK_TEXT(rows[i].what, text + strlen(rows[i].local) + 4, rows[i].zone_text);
    }
    set_zone("UTC");
}

static void printed_durations(void **state)
{
    static const struct {
        int64_t s;
        const char *text;
    } rows[] = {
        {0, "0s"},
        {1, "1s"},
        {45, "45s"},
        {59, "59s"},
        {60, "1m"},
        {61, "1m 1s"},
        {3599, "59m 59s"},
        {3600, "1h"},
        {3659, "1h"},
        {3660, "1h 1m"},
        {86399, "23h 59m"},
        {86400, "1d"},
        {86400 + 3599, "1d"},
        {86400 + 3600, "1d 1h"},
        {7 * DAY_S - 1, "6d 23h"},
        {90 * DAY_S, "90d"},
        {-45, "45s"},
        {-3660, "1h 1m"},
        {INT64_C(36500) * DAY_S, "36500d"},
        {INT64_MAX, "106751991167300d 15h"},
        {-INT64_MAX, "106751991167300d 15h"},
        {INT64_MIN, "106751991167300d 15h"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[DURATION_TEXT_BYTES];
        duration_format(rows[i].s, text);
        CHECK_TEXT(rows[i].text, text, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations),         cmocka_unit_test(times),
        cmocka_unit_test(sshd_times),        cmocka_unit_test(sshd_local_times),
        cmocka_unit_test(printers_clamp),    cmocka_unit_test(printed_times),
        cmocka_unit_test(printed_durations),
    };
    return cmocka_run_group_tests_name("duration", tests, NULL, NULL);
}
