/* SPDX-License-Identifier: ISC */
#include "lib/base/pattern.h"

#include <string.h>

bool pattern_matches(const char *text, const char *pattern)
{
    const char *star = NULL, *after_star = NULL;
    while (*text != '\0') {
        if (*pattern == '*') {
            star = ++pattern;
            after_star = text;
        } else if (*pattern == '?' || (*pattern == *text && *pattern != '\0')) {
            pattern++;
            text++;
        } else if (star != NULL) { /* the last star takes one character more */
            pattern = star;
            text = ++after_star;
        } else {
            return false;
        }
    }
    return pattern[strspn(pattern, "*")] == '\0';
}
