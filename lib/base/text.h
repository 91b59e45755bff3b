/* SPDX-License-Identifier: ISC */
/*
 * Makes text from outside (an argument, a file, another program's output) safe to show: it must not
 * control a terminal, and must not forge a line of a log. Pure, and the same in every locale.
 */
#ifndef TUNLEASE_BASE_TEXT_H
#define TUNLEASE_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct buf;

enum { TEXT_CLIP_BYTES = 160 };

/* Returned by value, so that a call can be an argument of another: text_clip(arg).s */
struct text_clip {
    char s[TEXT_CLIP_BYTES + 1];
};

/* A-Z becomes a-z, in every locale; all else stays. */
static inline char text_lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/* The length in bytes of the UTF-8 character at s (RFC 3629 section 4); 0 at the end of s, or where
 * it is not UTF-8. */
size_t text_char_bytes(const char *s);

/* True if the UTF-8 character at s controls a terminal or reorders the text: C0, DEL, C1, the line
 * and paragraph separators, the bidirectional controls and marks, the byte order mark. */
bool text_char_is_control(const char *s);

/* True if the character at s may be shown unescaped: it is UTF-8, no control character, and has a
 * width. s must not be empty. *ret_bytes is its length, or 1 where s is not UTF-8. */
bool text_char_is_printable(const char *s, size_t *ret_bytes);

/* The code point of the character at s. len is its text_char_bytes, and must not be 0. */
uint32_t text_char_code(const char *s, size_t len);

/* Appends s; each byte of a character that is not printable (above) becomes \xNN. */
void text_add_escaped(struct buf *out, const char *s);

/* The same into dst: at most size - 1 bytes, cut between characters, and a NUL. Returns the number
 * of bytes without the NUL. */
size_t text_escape(char *dst, size_t size, const char *s);

/* Prints one line, escaped as a whole, and a newline. */
void text_print(FILE *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Shortens b to at most max bytes: both ends stay, cut between characters, with ... between them.
 */
void text_shorten(struct buf *b, size_t max);

/* The same for one argument of a message, at most TEXT_CLIP_BYTES, so that a long argument does not
 * push the reason out of the message. The result is not escaped. */
struct text_clip text_clip(const char *s);

/* s as one word, for a `name=value` line of the log: each byte other than A-Z a-z 0-9 . _ @ -
 * becomes \xNN, so that it cannot be read as two words. A long one is cut, and ends in `...`. */
struct text_clip text_word(const char *s);

/* Returns the next line of *rest, and NULL after the last; *rest may be NULL. The line does not end
 * with a NUL: *ret_len is its length without the newline. *rest is moved to the line after it. */
const char *text_next_line(const char **rest, int *ret_len);

#endif
