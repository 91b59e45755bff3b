/* SPDX-License-Identifier: ISC */
#include "lib/lease/duration.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct {
    char letter;
    int64_t seconds;
} units[] = {{'w', 7 * 86400}, {'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};

enum { UNIT_COUNT = sizeof(units) / sizeof(units[0]) };

int duration_parse(const char *s, int64_t *ret_s)
{
    const int64_t max_s = (int64_t)DURATION_MAX_DAYS * 86400;
    const size_t len = strlen(s);
    int64_t total_s = 0;
    size_t next_unit = 0;

    for (size_t at = 0; at < len; at++) {
        int64_t value = 0;
        if (s[at] < '0' || s[at] > '9')
            return -1;
        for (char c; at < len && (c = s[at]) >= '0' && c <= '9'; at++) {
            value = value * 10 + (c - '0');
            if (value > max_s)
                return -1;
        }
        if (at >= len)
            return -1;
        size_t unit = next_unit;
        while (unit < UNIT_COUNT && units[unit].letter != s[at])
            unit++;
        if (unit == UNIT_COUNT)
            return -1;
        total_s += value * units[unit].seconds;
        if (total_s > max_s)
            return -1;
        next_unit = unit + 1;
    }
    if (total_s == 0)
        return -1;
    *ret_s = total_s;
    return 0;
}

void duration_format(int64_t s, char out[static DURATION_TEXT_BYTES])
{
    /* Not -s, which the least number has not. */
    int64_t rest = s >= 0 ? s : s == INT64_MIN ? INT64_MAX : -s;
    size_t unit = 1; /* starts at days: `90d` is easier to read than `12w 6d` */
    while (unit + 1 < UNIT_COUNT && rest < units[unit].seconds)
        unit++;
    int64_t value = rest / units[unit].seconds;
    rest %= units[unit].seconds;
    int n = snprintf(out, DURATION_TEXT_BYTES, "%lld%c", (long long)value, units[unit].letter);
    if (unit + 1 == UNIT_COUNT || n < 0 || n >= DURATION_TEXT_BYTES)
        return;
    /* For tests/proof: place and room of the second number depend on n. */
    //@ split n;
    int64_t next = rest / units[unit + 1].seconds;
    if (next != 0)
        (void)snprintf(out + n, DURATION_TEXT_BYTES - (size_t)n, " %lld%c", (long long)next,
                       units[unit + 1].letter);
}
