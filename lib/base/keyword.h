/* SPDX-License-Identifier: ISC */
/*
 * Keyword files in the manner of sshd_config(5): `Keyword value ...`, one a line, `#` comments,
 * values optionally in double quotes. Reads and splits; what a keyword means is the caller's.
 */
#ifndef TUNLEASE_BASE_KEYWORD_H
#define TUNLEASE_BASE_KEYWORD_H

#include <stddef.h>

enum {
    KEYWORD_FILE_BYTES = 65536, /* a larger file is refused */
    KEYWORD_VALUES_MAX = 64,    /* words of a line: Contact's may be a sentence */
};

struct keyword_line {
    unsigned line_no; /* from 1 */
    char *keyword;
    char *values[KEYWORD_VALUES_MAX];
    size_t value_count;
    const char *malformed; /* why this line cannot be split, or NULL */
};

/* Called for each line that is not blank or a comment; the strings live until it returns.
 * Anything but 0 stops the reading and becomes keyword_read's result. */
typedef int (*keyword_fn)(void *ctx, const struct keyword_line *line);

enum keyword_rc {
    KEYWORD_OK = 0,
    KEYWORD_NO_FILE = -1,
    KEYWORD_UNREADABLE = -2,
    KEYWORD_UNSAFE = -3, /* owner is neither root nor the effective user, or others may write it */
    KEYWORD_TOO_LARGE = -4,
    KEYWORD_BINARY = -5, /* a NUL would hide the rest of its line */
};

/*
 * Reads path, whose owner and mode are checked on the file that was opened: a regular file, owned
 * by root or the effective user, not writable by group or others. Returns a keyword_rc, or fn's
 * non-zero result (which must be positive).
 */
int keyword_read(const char *path, keyword_fn fn, void *ctx);

/* What went wrong, as the end of the sentence "cannot use 'FILE': it ...". */
const char *keyword_strerror(int rc);

#endif
