/* SPDX-License-Identifier: ISC */
/* Durations and times: they are within limits, and printing and parsing gives the same time again.
 */
#include "lib/lease/duration.h"
#include "lib/lease/time_text.h"

#include "tests/fuzz/fuzz.h"

#include <time.h>

/* As rules, so that no time zone files are needed. */
static const char *const zones[] = {"UTC0", "EST5EDT,M3.2.0,M11.1.0", "<+0545>-5:45", "<-11>11",
                                    "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"};

enum { ZONE_COUNT = sizeof(zones) / sizeof(zones[0]) };

static void check_duration(const char *text)
{
    int64_t s = -7, again = 0;
    char printed[DURATION_TEXT_BYTES], joined[DURATION_TEXT_BYTES], *out = joined;

    if (duration_parse(text, &s) != 0) {
        MUST(s == -7, text);
        return;
    }
    MUST(s > 0 && s <= (int64_t)DURATION_MAX_DAYS * 86400, text);
    MUST(strspn(text, "0123456789wdhms") == strlen(text), text);
    duration_format(s, printed);
    MUST(memchr(printed, '\0', sizeof(printed)) != NULL && fuzz_is_plain(printed), text);
    for (const char *p = printed; *p != '\0'; p++)
        if (*p != ' ')
            *out++ = *p;
    *out = '\0';
    /* Only the two largest units are printed; the rest is less than one of the second unit. */
    MUST(duration_parse(joined, &again) == 0 && again <= s, text);
    int64_t unit = s >= 86400 ? 3600 : s >= 3600 ? 60 : 1;
    MUST(s - again < unit, text);
}

static void check_printers(int64_t time_s, const char *text)
{
    char rfc[TIME_TEXT_BYTES], sshd[TIME_TEXT_BYTES], local[TIME_TEXT_BYTES], want[TIME_TEXT_BYTES];
    int64_t again = 0;
    struct tm tm;

    time_format_rfc3339(time_s, rfc);
    MUST(time_parse(rfc, &again) == 0 && again == time_s, text);

    /* Compares sshd's form, which is made without it, with gmtime_r(3). */
    time_t t = time_s;
    time_format_sshd(time_s, sshd);
    (void)gmtime_r(&t, &tm);
    (void)strftime(want, sizeof(want), "%Y%m%d%H%M%SZ", &tm);
    MUST(strcmp(sshd, want) == 0, text);

    /* An sshd before 9.1 reads it with tm_isdst 0, and never as a later time. (The first days of
     * 1970 have no such text.) */
    time_format_sshd_local(time_s, sshd);
    memset(&tm, 0, sizeof(tm));
    (void)snprintf(want, sizeof(want), "%.4s-%.2s-%.2sT%.2s:%.2s:%.2s", sshd, sshd + 4, sshd + 6,
                   sshd + 8, sshd + 10, sshd + 12);
    const char *end = strptime(want, "%Y-%m-%dT%H:%M:%S", &tm);
    MUST(end != NULL && *end == '\0', text);
    MUST(mktime(&tm) <= time_s || time_s < 2 * 86400, text);

    /* It has no seconds; and an hour that exists twice is read as either of the two. */
    time_format_local(time_s, local);
    MUST(fuzz_is_plain(local), text);
    if (local[4] == '-' && time_parse(local, &again) == 0)
        MUST(llabs(again - (time_s - time_s % 60)) <= 3600, text);
}

static void check_time(const char *text)
{
    for (size_t i = 0; i < ZONE_COUNT; i++) {
        int64_t time_s = -7;
        (void)setenv("TZ", zones[i], 1);
        tzset();
        if (time_parse(text, &time_s) != 0) {
            MUST(time_s == -7, text);
            continue;
        }
        MUST(time_s >= 0 && time_s <= TIME_MAX_S, text);
        check_printers(time_s, text);
    }
}

/* Whatever a damaged row has, the printers write at most TIME_TEXT_BYTES. */
static void check_total(const uint8_t *data, size_t size, const char *text)
{
    int64_t any_s = 0;
    char out[TIME_TEXT_BYTES];
    memcpy(&any_s, data, size < sizeof(any_s) ? size : sizeof(any_s));
    if (any_s == INT64_MIN) /* its absolute value is not an int64_t */
        any_s++;
    duration_format(any_s, out);
    MUST(memchr(out, '\0', sizeof(out)) != NULL, text);
    time_format_local(any_s, out);
    MUST(memchr(out, '\0', sizeof(out)) != NULL, text);
    int64_t clamped_s = any_s < 0 ? 0 : any_s > TIME_MAX_S ? TIME_MAX_S : any_s;
    (void)setenv("TZ", zones[0], 1);
    tzset();
    check_printers(clamped_s, text);
    char clamped[TIME_TEXT_BYTES];
    time_format_sshd(any_s, out);
    time_format_sshd(clamped_s, clamped);
    MUST(strcmp(out, clamped) == 0, text);
    time_format_rfc3339(any_s, out);
    time_format_rfc3339(clamped_s, clamped);
    MUST(strcmp(out, clamped) == 0, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    check_duration(text);
    check_time(text);
    check_total(data, size, text);
    free(text);
    return 0;
}
