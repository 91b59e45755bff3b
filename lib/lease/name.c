/* SPDX-License-Identifier: ISC */
#include "lib/lease/name.h"

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

/* Length of the UTF-8 sequence at s, 0 when it is none (RFC 3629 section 4). */
static size_t utf8_len(const unsigned char *s)
{
    if (s[0] < 0x80)
        return 1;
    size_t len = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return len;
}

/* Characters that steer a terminal or reorder what it shows: C0, DEL, C1 (U+0080-009F), the line
 * and paragraph separators and the bidirectional controls (Unicode 15, section 23.2). */
static bool steers_terminal(const unsigned char *s)
{
    if (s[0] < 0x20 || s[0] == 0x7f)
        return true;
    if (s[0] == 0xc2)
        return s[1] < 0xa0;
    if (s[0] == 0xd8)
        return s[1] == 0x9c; /* U+061C, the Arabic letter mark */
    if (s[0] == 0xe2 && s[1] == 0x80)
        return (s[2] >= 0xa8 && s[2] <= 0xae) || s[2] == 0x8e || s[2] == 0x8f;
    return s[0] == 0xe2 && s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9;
}

const char *free_text_problem(const char *s)
{
    if (strlen(s) > LEASE_NOTE_MAX)
        return "is longer than 256 bytes";
    for (const unsigned char *p = (const unsigned char *)s; *p != '\0';) {
        size_t len = utf8_len(p);
        if (len == 0)
            return "is not UTF-8";
        if (steers_terminal(p))
            return "holds a control character";
        p += len;
    }
    return NULL;
}
