/* SPDX-License-Identifier: ISC */
#include "lib/base/text.h"

#include "lib/base/buf.h"

#include <stdio.h>
#include <string.h>

static const char gap[] = "...";

enum { GAP_BYTES = sizeof(gap) - 1, ESCAPE_BYTES = 4 };

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

/* Unicode 15, sections 23.1, 23.2 and 23.8. */
bool text_char_steers(const char *s)
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

static void escape(const char *s, char out[static ESCAPE_BYTES + 1])
{
    (void)snprintf(out, ESCAPE_BYTES + 1, "\\x%02x", (unsigned char)*s);
}

void text_add_fit(struct buf *out, const char *s)
{
    char escaped[ESCAPE_BYTES + 1];
    while (*s != '\0') {
        size_t len = text_char_bytes(s);
        if (len > 0 && !text_char_steers(s)) {
            buf_add_mem(out, s, len);
            s += len;
            continue;
        }
        for (len = len > 0 ? len : 1; len > 0; len--, s++) {
            escape(s, escaped);
            buf_add(out, escaped);
        }
    }
}

static bool continues(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* Where the gap is to begin and to end, so that max bytes are left with it. A cut moves by at most
 * the three bytes that continue a character: what is no UTF-8 has no better place. */
static void find_gap(const char *s, size_t len, size_t max, size_t *ret_from, size_t *ret_to)
{
    size_t from = (max - GAP_BYTES) / 2;
    size_t to = len - (max - GAP_BYTES - from);
    for (int i = 0; i < 3 && from > 0 && continues(s[from]); i++)
        from--;
    for (int i = 0; i < 3 && to < len && continues(s[to]); i++)
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

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '@' || c == '-';
}

struct text_clip text_word(const char *s)
{
    struct text_clip word;
    size_t used = 0;
    for (; *s != '\0' && used + ESCAPE_BYTES + GAP_BYTES <= TEXT_CLIP_BYTES; s++) {
        if (is_word(*s)) {
            word.s[used++] = *s;
        } else {
            escape(s, word.s + used);
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
