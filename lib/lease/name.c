/* SPDX-License-Identifier: ISC */
#include "lib/lease/name.h"

#include "lib/base/text.h"

#include <stdbool.h>
#include <string.h>

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static const char *problem(const char *s, const char *also, size_t max, const char *too_long)
{
    size_t len = strlen(s);
    if (len == 0)
        return "is empty";
    if (len > max)
        return too_long;
    for (const char *p = s; *p != '\0'; p++)
        if (!is_alnum(*p) && strchr(also, *p) == NULL)
            return max == LEASE_NAME_MAX ? "may hold only A-Z a-z 0-9 . _ @ -"
                                         : "may hold only A-Z a-z 0-9 . _ -";
    if (*s == '-' || *s == '.')
        return "may not start with '-' or '.'";
    return NULL;
}

const char *lease_name_problem(const char *s)
{
    return problem(s, "._@-", LEASE_NAME_MAX, "is longer than 64 characters");
}

const char *login_name_problem(const char *s)
{
    return problem(s, "._-", LOGIN_NAME_MAX_CHARS, "is longer than 32 characters");
}

const char *free_text_problem(const char *s)
{
    if (strlen(s) > LEASE_NOTE_MAX)
        return "is longer than 256 bytes";
    while (*s != '\0') {
        size_t len = text_char_bytes(s);
        if (len == 0)
            return "is not UTF-8";
        if (text_char_is_control(s))
            return "holds a control character";
        s += len;
    }
    return NULL;
}
