/* SPDX-License-Identifier: ISC */
#include "lib/base/number.h"

bool number_parse(const char *s, size_t len, int64_t min, int64_t max, int64_t *ret)
{
    int64_t value = 0;
    if (len == 0 || (len > 1 && s[0] == '0'))
        return false;
    for (size_t i = 0; i < len; i++) {
        if (s[i] < '0' || s[i] > '9')
            return false;
        int digit = s[i] - '0';
        /* For tests/proof: whether the next lines overflow depends on the digit. */
        //@ split digit;
        if (value > (max - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (value < min || value > max)
        return false;
    *ret = value;
    return true;
}

bool number_parse_signed(const char *s, size_t len, int64_t *ret)
{
    int64_t value = 0;
    const bool negative = len > 0 && s[0] == '-';
    if (!number_parse(s + negative, len - negative, negative ? 1 : 0, INT64_MAX, &value))
        return false;
    *ret = negative ? -value : value;
    return true;
}
