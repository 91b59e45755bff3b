/* SPDX-License-Identifier: ISC */
#include "lib/base/text.h"

#include "lib/base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <string.h>

static const char gap[] = "...";

enum { GAP_BYTES = sizeof(gap) - 1, ESCAPE_BYTES = 4, ESCAPED_CHAR_BYTES = 4 * ESCAPE_BYTES };

size_t text_char_bytes(const char *s)
{
    const unsigned char *p = (const unsigned char *)s;
    if (p[0] < 0x80)
        return p[0] != '\0';
    size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return len;
}

/* The Unicode Standard 15, sections 23.1, 23.2 and 23.8. */
bool text_char_is_control(const char *s)
{
    const unsigned char *p = (const unsigned char *)s;
    if (p[0] < 0x20 || p[0] == 0x7f)
        return true;
    if (p[0] == 0xc2)
        return p[1] < 0xa0;
    if (p[0] == 0xd8)
        return p[1] == 0x9c; /* U+061C, the Arabic letter mark */
    if (p[0] == 0xe2 && p[1] == 0x80)
        return (p[2] >= 0xa8 && p[2] <= 0xae) || p[2] == 0x8e || p[2] == 0x8f;
    if (p[0] == 0xef)
        return p[1] == 0xbb && p[2] == 0xbf; /* U+FEFF, the byte order mark */
    return p[0] == 0xe2 && p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9;
}

uint32_t text_char_code(const char *s, size_t len)
{
    const unsigned char *p = (const unsigned char *)s;
    uint32_t c = len == 1 ? p[0] : p[0] & (0xffU >> (len + 1));
    for (size_t i = 1; i < len; i++)
        c = c << 6 | (p[i] & 0x3fU);
    return c;
}

/* Characters without a width make two different texts look alike. These are all of
 * Default_Ignorable_Code_Point (DerivedCoreProperties.txt, Unicode 15) but the variation selectors,
 * which change how the character before them looks. */
static bool has_no_width(uint32_t c)
{
    static const struct {
        uint32_t low, high;
    } ranges[] = {
        {0xad, 0xad},       {0x34f, 0x34f},     {0x115f, 0x1160},   {0x17b4, 0x17b5},
        {0x180e, 0x180e},   {0x200b, 0x200d},   {0x2060, 0x206f},   {0x3164, 0x3164},
        {0xffa0, 0xffa0},   {0xfff0, 0xfffb},   {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
        {0xe0000, 0xe00ff}, {0xe01f0, 0xe0fff},
    };
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (c >= ranges[i].low && c <= ranges[i].high)
            return true;
    return false;
}

bool text_char_is_printable(const char *s, size_t *ret_bytes)
{
    size_t len = text_char_bytes(s);
    *ret_bytes = len > 0 ? len : 1;
    if (len == 1)
        return *s >= ' ' && *s <= '~';
    return len > 0 && !text_char_is_control(s) && !has_no_width(text_char_code(s, len));
}

static void escape_byte(const char *s, char out[static ESCAPE_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    memcpy(out, "\\x", 2);
    out[2] = digits[(unsigned char)*s >> 4];
    out[3] = digits[*s & 0x0f];
}

/* Writes the first character of s to out, escaped if need be. Returns its bytes in s; *ret_out are
 * its bytes in out. */
static size_t escape_char(const char *s, char out[static ESCAPED_CHAR_BYTES], size_t *ret_out)
{
    size_t len;
    if (text_char_is_printable(s, &len)) {
        memcpy(out, s, len);
        *ret_out = len;
        return len;
    }
    for (size_t i = 0; i < len; i++)
        escape_byte(s + i, out + ESCAPE_BYTES * i);
    *ret_out = ESCAPE_BYTES * len;
    return len;
}

void text_add_escaped(struct buf *out, const char *s)
{
    char escaped[ESCAPED_CHAR_BYTES];
    size_t len;
    while (*s != '\0') {
        s += escape_char(s, escaped, &len);
        buf_add_mem(out, escaped, len);
    }
}

size_t text_escape(char *dst, size_t size, const char *s)
{
    char escaped[ESCAPED_CHAR_BYTES];
    size_t used = 0, len;
    while (*s != '\0') {
        if (*s >= ' ' && *s <= '~') { /* the usual case, made fast */
            if (used + 1 >= size)
                break;
            dst[used++] = *s++;
            continue;
        }
        size_t took = escape_char(s, escaped, &len);
        if (used + len >= size)
            break;
        memcpy(dst + used, escaped, len);
        used += len;
        s += took;
    }
    dst[used] = '\0';
    return used;
}

void text_print(FILE *to, const char *fmt, ...)
{
    struct buf raw = {0}, line = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_vaddf(&raw, fmt, ap);
    va_end(ap);
    text_add_escaped(&line, buf_text_or(&raw, "out of memory"));
    (void)fprintf(to, "%s\n", buf_text_or(&line, "out of memory"));
    buf_release(&raw);
    buf_release(&line);
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* Finds the bytes [*ret_from, *ret_to) of s that the gap replaces, so that max bytes remain with
 * it. A cut inside a character moves to its edge, by at most three bytes; in text that is not UTF-8
 * no place is better than another. */
static void find_gap(const char *s, size_t len, size_t max, size_t *ret_from, size_t *ret_to)
{
    size_t from = (max - GAP_BYTES) / 2;
    size_t to = len - (max - GAP_BYTES - from);
    for (int i = 0; i < 3 && from > 0 && is_continuation(s[from]); i++)
        from--;
    for (int i = 0; i < 3 && to < len && is_continuation(s[to]); i++)
        to++;
    *ret_from = from;
    *ret_to = to;
}

void text_shorten(struct buf *b, size_t max)
{
    size_t from, to;
    if (b->failed || b->len <= max)
        return;
    find_gap(b->data, b->len, max, &from, &to);
    memcpy(b->data + from, gap, GAP_BYTES);
    memmove(b->data + from + GAP_BYTES, b->data + to, b->len - to + 1);
    b->len = from + GAP_BYTES + (b->len - to);
}

struct text_clip text_clip(const char *s)
{
    struct text_clip clip;
    size_t len = strlen(s), from, to;
    if (len <= TEXT_CLIP_BYTES) {
        memcpy(clip.s, s, len + 1);
        return clip;
    }
    find_gap(s, len, TEXT_CLIP_BYTES, &from, &to);
    memcpy(clip.s, s, from);
    memcpy(clip.s + from, gap, GAP_BYTES);
    memcpy(clip.s + from + GAP_BYTES, s + to, len - to + 1);
    return clip;
}

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '@' || c == '-';
}

struct text_clip text_word(const char *s)
{
    struct text_clip word;
    size_t used = 0;
    for (; *s != '\0' && used + ESCAPE_BYTES + GAP_BYTES <= TEXT_CLIP_BYTES; s++) {
        if (is_word_char(*s)) {
            word.s[used++] = *s;
        } else {
            escape_byte(s, word.s + used);
            used += ESCAPE_BYTES;
        }
    }
    if (*s != '\0') {
        memcpy(word.s + used, gap, GAP_BYTES);
        used += GAP_BYTES;
    }
    word.s[used] = '\0';
    return word;
}

const char *text_next_line(const char **rest, int *ret_len)
{
    const char *line = *rest;
    if (line == NULL || *line == '\0')
        return NULL;
    size_t len = strcspn(line, "\n");
    *rest = line + len + (line[len] != '\0' ? 1 : 0);
    *ret_len = (int)len;
    return line;
}
