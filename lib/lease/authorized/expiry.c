/* SPDX-License-Identifier: ISC */
#include "lib/lease/authorized/expiry.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static bool has_end(const char *s, size_t len, const char *end)
{
    size_t n = strlen(end);
    return len > n && strcasecmp(s + len - n, end) == 0;
}

bool authorized_expiry_parse(const char *value, int64_t *ret_s, bool *ret_local)
{
    size_t len = strlen(value);
    bool utc = true;
    char digits[15], spread[32];
    if (has_end(value, len, "Z"))
        len -= 1;
    else if (has_end(value, len, "UTC"))
        len -= 3;
    else
        utc = false;
    if (len != 8 && len != 12 && len != 14)
        return false;
    memcpy(digits, value, len);
    digits[len] = '\0';
    /* With separators, since strptime(3) needs them. It takes blanks for zeros, as it does in sshd.
     */
    const char *format = len == 8 ? "%Y-%m-%d" : len == 12 ? "%Y-%m-%dT%H:%M" : "%Y-%m-%dT%H:%M:%S";
    int n = snprintf(spread, sizeof(spread), "%.4s-%.2s-%.2s", digits, digits + 4, digits + 6);
    if (len >= 12)
        n +=
            snprintf(spread + n, sizeof(spread) - (size_t)n, "T%.2s:%.2s", digits + 8, digits + 10);
    if (len == 14)
        (void)snprintf(spread + n, sizeof(spread) - (size_t)n, ":%.2s", digits + 12);
    struct tm tm = {.tm_isdst = 0}; /* sshd leaves it at 0: standard time, in summer, too */
    const char *end = strptime(spread, format, &tm);
    if (end == NULL || *end != '\0')
        return false;
    time_t t = utc ? timegm(&tm) : mktime(&tm);
    if (t <= 0) /* sshd refuses the first second of 1970, too */
        return false;
    *ret_s = (int64_t)t;
    *ret_local = !utc;
    return true;
}
