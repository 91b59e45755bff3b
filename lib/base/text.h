/* SPDX-License-Identifier: ISC */
/*
 * Text from outside (an argument, a file, another program's words) on its way to a person's
 * terminal or a log: nothing in it may steer the one or forge a line of the other. Pure, and the
 * same in every locale.
 */
#ifndef TUNLEASE_BASE_TEXT_H
#define TUNLEASE_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct buf;

enum { TEXT_CLIP_BYTES = 160 };

/* Returned by value, so that it can stand among the arguments of a call: text_clip(arg).s */
struct text_clip {
    char s[TEXT_CLIP_BYTES + 1];
};

/* A-Z becomes a-z, in every locale; all else stays. */
static inline char text_lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/* Bytes of the UTF-8 character at s (RFC 3629 section 4); 0 when there is none. */
size_t text_char_bytes(const char *s);

/* Whether the UTF-8 character at s steers a terminal or reorders what it shows: C0, DEL, C1, the
 * line and paragraph separators, the bidirectional controls and marks, the byte order mark. */
bool text_char_is_control(const char *s);

/* Whether the character at s (not its end) may be shown as it is: UTF-8 that neither steers nor has
 * no width. *ret_bytes: its length, or 1 where it is no UTF-8. */
bool text_char_is_printable(const char *s, size_t *ret_bytes);

/* Its code point. len: text_char_bytes, not 0. */
uint32_t text_char_code(const char *s, size_t len);

/* Appends s, fit for a terminal or a log: UTF-8 stays, but what steers, what has no width, and what
 * is no UTF-8, becomes \xNN for each of its bytes. */
void text_add_escaped(struct buf *out, const char *s);

/* The same into dst, at most size - 1 bytes and a NUL, cut between characters; how many. */
size_t text_escape(char *dst, size_t size, const char *s);

/* Prints one line, all of it fit. */
void text_print(FILE *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* At most max bytes of b: of a longer one both ends, cut between characters, and ... between. */
void text_shorten(struct buf *b, size_t max);

/* The same for one argument within a message, so that the reason beside it is never what is lost.
 * It still needs text_add_escaped. */
struct text_clip text_clip(const char *s);

/* One word for a `name=value` line of the log: all but A-Z a-z 0-9 . _ @ - becomes \xNN, so that it
 * cannot be read as two; one that is long ends in `...`. */
struct text_clip text_word(const char *s);

/* The next line of *rest (NULL: none), of *ret_len bytes without its newline; *rest is what
 * follows. NULL at the end. */
const char *text_next_line(const char **rest, int *ret_len);

#endif
