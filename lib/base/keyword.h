/* SPDX-License-Identifier: ISC */
/*
 * Files like sshd_config(5): one `Keyword value ...` a line, `#` comments, values optionally in
 * double quotes. This reads a file and splits its lines; the caller knows what a keyword means.
 */
#ifndef TUNLEASE_BASE_KEYWORD_H
#define TUNLEASE_BASE_KEYWORD_H

#include <stddef.h>

enum {
    KEYWORD_FILE_BYTES = 65536, /* a larger file is refused */
    KEYWORD_VALUES_MAX = 64,    /* words of a line; Contact may be a sentence without quotes */
};

struct keyword_line {
    unsigned line_no; /* from 1 */
    char *keyword;
    char *values[KEYWORD_VALUES_MAX];
    size_t value_count;
    const char *malformed; /* why this line cannot be split, or NULL */
};

/* Called for each line that is neither blank nor a comment. The strings are valid until it returns.
 * A result other than 0 stops the reading; it must be positive, and keyword_read returns it. */
typedef int (*keyword_fn)(void *ctx, const struct keyword_line *line);

enum keyword_rc {
    KEYWORD_OK = 0,
    KEYWORD_NO_FILE = -1,
    KEYWORD_UNREADABLE = -2,
    KEYWORD_UNSAFE = -3, /* not a regular file, another user's, or others may write it */
    KEYWORD_TOO_LARGE = -4,
    KEYWORD_BINARY = -5, /* has a NUL, which would hide the rest of its line */
};

/*
 * Reads path and calls fn for each line. The file must be a regular one, owned by root or the
 * effective user and not writable by group or others; this is checked after it was opened. Returns
 * a keyword_rc, or the first result of fn that is not 0.
 */
int keyword_read(const char *path, keyword_fn fn, void *ctx);

/* The reason for an rc, as the end of the sentence "cannot use 'FILE': it ...". */
const char *keyword_strerror(int rc);

#endif
