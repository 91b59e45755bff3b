/* SPDX-License-Identifier: ISC */
#include "lib/lease/authorized/split.h"

#include <stddef.h>

const char *authorized_options_end(const char *s)
{
    bool quoted = false;
    for (; *s != '\0' && (quoted || !authorized_is_blank(*s)); s++) {
        if (s[0] == '\\' && s[1] == '"')
            s++;
        else if (*s == '"')
            quoted = !quoted;
    }
    return quoted ? NULL : s;
}
