/* SPDX-License-Identifier: ISC */
#include "leasectl/top/keys.h"

#include <string.h>

/* By the final byte of `ESC [ X` and `ESC O X`. */
static int by_letter(char c)
{
    static const struct {
        char letter;
        int key;
    } letters[] = {
        {'A', KEY_UP}, {'B', KEY_DOWN}, {'H', KEY_HOME}, {'F', KEY_END}, {'Z', KEY_BACK_TAB}};
    for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
        if (letters[i].letter == c)
            return letters[i].key;
    return KEY_OTHER;
}

/* By the number of `ESC [ N ~`. */
static int by_number(const char *digits, size_t len)
{
    static const int keys[] = {KEY_OTHER,   KEY_HOME,      KEY_OTHER, KEY_OTHER, KEY_END,
                               KEY_PAGE_UP, KEY_PAGE_DOWN, KEY_HOME,  KEY_END};
    const size_t n = len == 1 ? (size_t)(digits[0] - '0') : 0;
    return n < sizeof(keys) / sizeof(keys[0]) ? keys[n] : KEY_OTHER;
}

int key_next(const char *s, size_t len, size_t *ret_used)
{
    *ret_used = 1;
    if ((unsigned char)s[0] >= 0x80) {
        while (*ret_used < len && ((unsigned char)s[*ret_used] & 0xc0) == 0x80)
            ++*ret_used;
        return KEY_OTHER;
    }
    if (s[0] != '\033')
        return s[0];
    if (len == 1)
        return KEY_ESCAPE;
    if (s[1] != '[' && s[1] != 'O') { /* Alt and a key */
        *ret_used = 2;
        return KEY_OTHER;
    }
    size_t end = 2;
    while (end < len && s[end] >= 0x20 && s[end] < 0x40)
        end++;
    *ret_used = end < len ? end + 1 : len;
    if (end == len)
        return KEY_OTHER;
    return s[end] == '~' ? by_number(s + 2, end - 2) : end == 2 ? by_letter(s[end]) : KEY_OTHER;
}
