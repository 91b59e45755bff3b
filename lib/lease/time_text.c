/* SPDX-License-Identifier: ISC */
#include "lib/lease/time_text.h"

#include <bsd/string.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

/* Parses exactly `digits` digits at *s; -1 if there are fewer. */
static int parse_digits(const char **s, int digits)
{
    int value = 0;
    for (int i = 0; i < digits; i++, (*s)++) {
        if (**s < '0' || **s > '9')
            return -1;
        value = value * 10 + (**s - '0');
    }
    return value;
}

static bool skip_char(const char **s, char c)
{
    if (**s != c)
        return false;
    (*s)++;
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

static int parse_date(const char **s, struct tm *tm)
{
    int year = parse_digits(s, 4);
    if (year < 1970 || !skip_char(s, '-'))
        return -1;
    int month = parse_digits(s, 2);
    if (month < 1 || month > 12 || !skip_char(s, '-'))
        return -1;
    int day = parse_digits(s, 2);
    if (day < 1 || day > days_in_month(year, month))
        return -1;
    tm->tm_year = year - 1900;
    tm->tm_mon = month - 1;
    tm->tm_mday = day;
    return 0;
}

static int parse_clock(const char **s, bool with_seconds, struct tm *tm)
{
    tm->tm_hour = parse_digits(s, 2);
    if (tm->tm_hour < 0 || tm->tm_hour > 23 || !skip_char(s, ':'))
        return -1;
    tm->tm_min = parse_digits(s, 2);
    if (tm->tm_min < 0 || tm->tm_min > 59)
        return -1;
    tm->tm_sec = 0;
    if (with_seconds) {
        if (!skip_char(s, ':'))
            return -1;
        tm->tm_sec = parse_digits(s, 2);
        if (tm->tm_sec < 0 || tm->tm_sec > 59) /* no lease ends at a leap second */
            return -1;
    }
    return 0;
}

/* Parses `Z` or `+HH:MM` into seconds east of UTC. */
static int parse_offset(const char **s, int64_t *ret_offset_s)
{
    if (skip_char(s, 'Z') || skip_char(s, 'z')) {
        *ret_offset_s = 0;
        return 0;
    }
    int sign = skip_char(s, '+') ? 1 : skip_char(s, '-') ? -1 : 0;
    int hours = sign != 0 ? parse_digits(s, 2) : -1;
    if (hours < 0 || hours > 23 || !skip_char(s, ':'))
        return -1;
    int minutes = parse_digits(s, 2);
    if (minutes < 0 || minutes > 59)
        return -1;
    *ret_offset_s = sign * (hours * 3600 + minutes * 60);
    return 0;
}

int time_parse(const char *s, int64_t *ret_s)
{
    struct tm tm = {.tm_isdst = -1};
    int64_t time_s, offset_s = 0;

    if (parse_date(&s, &tm) != 0)
        return -1;
    if (skip_char(&s, 'T') || skip_char(&s, 't')) {
        if (parse_clock(&s, true, &tm) != 0 || parse_offset(&s, &offset_s) != 0)
            return -1;
        time_s = timegm(&tm) - offset_s;
    } else {
        if (*s == '\0') {
            tm.tm_hour = 23;
            tm.tm_min = 59;
            tm.tm_sec = 59;
        } else if (!skip_char(&s, ' ') || parse_clock(&s, false, &tm) != 0) {
            return -1;
        }
        time_s = mktime(&tm);
    }
    if (*s != '\0' || time_s < 0 || time_s > TIME_MAX_S)
        return -1;
    *ret_s = time_s;
    return 0;
}

/* Times outside 1970..9999 are never stored. Clamped, so that every value can be printed. */
static time_t clamp_to_storable(int64_t time_s)
{
    if (time_s < 0)
        return 0;
    return time_s > TIME_MAX_S ? TIME_MAX_S : time_s;
}

void time_format_rfc3339(int64_t time_s, char out[static TIME_TEXT_BYTES])
{
    struct tm tm;
    time_t t = clamp_to_storable(time_s);
    gmtime_r(&t, &tm);
    strftime(out, TIME_TEXT_BYTES, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

void time_format_local(int64_t time_s, char out[static TIME_TEXT_BYTES])
{
    struct tm tm;
    time_t t = clamp_to_storable(time_s);
    localtime_r(&t, &tm);
    strftime(out, TIME_TEXT_BYTES, "%Y-%m-%d %H:%M", &tm);
}

void time_format_zoned(int64_t time_s, char out[static TIME_TEXT_BYTES])
{
    struct tm tm;
    time_t t = clamp_to_storable(time_s);
    localtime_r(&t, &tm);
    size_t len = strftime(out, TIME_TEXT_BYTES, "%Y-%m-%d %H:%M UTC", &tm);
    const long minutes = (tm.tm_gmtoff < 0 ? -tm.tm_gmtoff : tm.tm_gmtoff) / 60;
    if (minutes != 0)
        (void)snprintf(out + len, TIME_TEXT_BYTES - len, "%c%02ld:%02ld",
                       tm.tm_gmtoff < 0 ? '-' : '+', minutes / 60 % 24, minutes % 60);
}

static char *two_digits(char *p, int value)
{
    *p++ = (char)('0' + value / 10);
    *p++ = (char)('0' + value % 10);
    return p;
}

/* Writes naive_s, taken as UTC, as YYYYMMDDhhmmss without a zone. */
static void format_sshd(int64_t naive_s, char out[static TIME_TEXT_BYTES]);

/*
 * The time that sshd reads in the text of naive_s: strptime(3) into a struct tm of zeros, then
 * mktime(3). Near a change of the clock, the result of mktime depends on the offset that its call
 * before found, and we do not know what sshd called it with before. So it is tried with an offset
 * from either side of the change, and the later result is returned.
 */
static int64_t read_as_standard_time(int64_t naive_s)
{
    enum { SIDES = 2, FAR_S = 2 * 86400 };
    int64_t read_s = 0;
    for (int i = 0; i < SIDES; i++) {
        struct tm tm = {0};
        time_t side = naive_s + (i == 0 ? -FAR_S : FAR_S), t = naive_s;
        localtime_r(&side, &tm);
        (void)mktime(&tm);
        gmtime_r(&t, &tm);
        tm.tm_isdst = 0;
        t = mktime(&tm);
        read_s = i == 0 || t > read_s ? t : read_s;
    }
    return read_s;
}

void time_format_sshd_local(int64_t time_s, char out[static TIME_TEXT_BYTES])
{
    enum { TRIES = 4, DAY_S = 86400 };
    struct tm tm;
    time_t t = clamp_to_storable(time_s);
    int64_t read_s = 0;

    localtime_r(&t, &tm);
    int64_t naive_s = t + tm.tm_gmtoff;
    for (int i = 0; i < TRIES && (read_s = read_as_standard_time(naive_s)) != t; i++)
        naive_s += t - read_s;
    for (int i = 0; i < TRIES && read_s > t; i++) { /* the zone skipped a day */
        naive_s -= DAY_S;
        read_s = read_as_standard_time(naive_s);
    }
    format_sshd(read_s <= t ? clamp_to_storable(naive_s) : 0, out);
}

/*
 * Without gmtime_r(3), which would load the time zone first: akc prints a time at every login. The
 * calendar is the proleptic Gregorian one, in eras of 400 years. Years start on 1 March, so that
 * the leap day is the last day of its year; March to July, five months, have 153 days.
 */
static void format_sshd(int64_t naive_s, char out[static TIME_TEXT_BYTES])
{
    const int64_t days_per_400y = 146097, days_0000_03_01_to_1970 = 719468;
    int64_t t = naive_s;
    int64_t day = t / 86400 + days_0000_03_01_to_1970;
    int second = (int)(t % 86400);
    int64_t era = day / days_per_400y;
    int day_of_era = (int)(day % days_per_400y);
    int year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int march_month = (5 * day_of_year + 2) / 153;
    int month = march_month < 10 ? march_month + 3 : march_month - 9;
    int year = (int)era * 400 + year_of_era + (month <= 2 ? 1 : 0);

    char *p = two_digits(out, year / 100);
    p = two_digits(p, year % 100);
    p = two_digits(p, month);
    p = two_digits(p, day_of_year - (153 * march_month + 2) / 5 + 1);
    p = two_digits(p, second / 3600);
    p = two_digits(p, second / 60 % 60);
    p = two_digits(p, second % 60);
    *p = '\0';
}

void time_format_sshd(int64_t time_s, char out[static TIME_TEXT_BYTES])
{
    format_sshd(clamp_to_storable(time_s), out);
    (void)strlcat(out, "Z", TIME_TEXT_BYTES);
}
