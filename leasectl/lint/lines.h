/* SPDX-License-Identifier: ISC */
/* The lines of a file of any kind and size, in bounded memory. */
#ifndef TUNLEASE_LEASECTL_LINT_LINES_H
#define TUNLEASE_LEASECTL_LINT_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* LINT_LINE_BYTES: one more than AUTHORIZED_LINE_BYTES, so that a line that is cut is longer. */
enum { LINT_LINE_BYTES = 4 * 1024 * 1024 + 1 };
#define LINT_FILE_BYTES INT64_C(134217728) /* a larger file is no authorized_keys */

/* Called for each line, which is cut at LINT_LINE_BYTES and does not end with its newline or a NUL.
 * A result other than 0 stops the reading. */
typedef int lint_line_fn(void *ctx, unsigned long line_no, const char *line, size_t len);

enum lint_lines_rc {
    LINT_LINES_OK,
    LINT_LINES_STOPPED,   /* by fn */
    LINT_LINES_TOO_LARGE, /* more than LINT_FILE_BYTES; the lines up to there were read */
    LINT_LINES_ERROR,     /* errno says why */
};

enum lint_lines_rc lint_lines_read(int fd, lint_line_fn *fn, void *ctx);

#endif
