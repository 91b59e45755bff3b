/* SPDX-License-Identifier: ISC */
/*
 * Text in lines of a width, which is counted in the columns of a terminal: a wide character takes
 * two, a combining one none, whatever the locale of the caller. The text is UTF-8, and escaped
 * (lib/base/text.h).
 */
#ifndef TUNLEASE_BASE_WRAP_H
#define TUNLEASE_BASE_WRAP_H

#include <stddef.h>

/* The columns that the first `bytes` bytes of s take. */
size_t wrap_width_of(const char *s, size_t bytes);
size_t wrap_width(const char *s);

/* The width of the longest word of s. Words have blanks between them. */
size_t wrap_longest_word(const char *s);

/*
 * Cuts the next line of at most width columns off *rest, at a blank. A word that is longer than
 * that is cut after its last punctuation mark that fits, or else where the line is full. A line has
 * at least one character, also where that is wider. Returns the line, which does not end with a
 * NUL, and its length; NULL at the end of *rest.
 */
const char *wrap_next_line(const char **rest, size_t width, size_t *ret_bytes);

#endif
