/* SPDX-License-Identifier: ISC */
#include "lib/base/wrap.h"

#include "lib/base/text.h"

#include <locale.h>
#include <string.h>
#include <wchar.h>

/* wcwidth(3) knows only ASCII in the C locale, where we run. */
static size_t char_width(uint32_t code)
{
    static locale_t utf8;
    if (code < 0x80)
        return 1;
    if (utf8 == NULL && (utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL)) == NULL)
        return 1;
    locale_t ours = uselocale(utf8);
    int width = wcwidth((wchar_t)code);
    (void)uselocale(ours);
    return width < 0 ? 1 : (size_t)width;
}

/* The first character of s: its bytes, and its columns. */
static size_t next_char(const char *s, size_t *ret_width)
{
    size_t bytes = text_char_bytes(s);
    if (bytes == 0) { /* not UTF-8 */
        *ret_width = 1;
        return 1;
    }
    *ret_width = char_width(text_char_code(s, bytes));
    return bytes;
}

size_t wrap_width_of(const char *s, size_t bytes)
{
    size_t columns = 0, width;
    for (const char *end = s + bytes; s < end; columns += width)
        s += next_char(s, &width);
    return columns;
}

size_t wrap_width(const char *s)
{
    return wrap_width_of(s, strlen(s));
}

size_t wrap_longest_word(const char *s)
{
    size_t longest = 0;
    while (*s != '\0') {
        size_t bytes = strcspn(s, " "), width = wrap_width_of(s, bytes);
        if (width > longest)
            longest = width;
        s += bytes;
        s += strspn(s, " ");
    }
    return longest;
}

const char *wrap_next_line(const char **rest, size_t width, size_t *ret_bytes)
{
    const char *line = *rest + strspn(*rest, " ");
    size_t used = 0, char_columns;
    size_t blank = 0, mark = 0; /* bytes before the last blank, and up to the last mark */
    size_t bytes = 0;

    if (*line == '\0')
        return NULL;
    while (line[bytes] != '\0') {
        size_t len = next_char(line + bytes, &char_columns);
        if (line[bytes] == ' ' && bytes > 0 && line[bytes - 1] != ' ')
            blank = bytes;
        if (used + char_columns > width && bytes > 0)
            break;
        used += char_columns;
        bytes += len;
        if (len == 1 && strchr("-_.,:/@|", line[bytes - 1]) != NULL)
            mark = bytes;
    }
    if (line[bytes] != '\0')
        bytes = blank > 0 ? blank : mark > bytes / 2 ? mark : bytes;
    *rest = line + bytes;
    while (bytes > 0 && line[bytes - 1] == ' ')
        bytes--;
    *ret_bytes = bytes;
    return line;
}
