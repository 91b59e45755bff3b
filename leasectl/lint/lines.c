/* SPDX-License-Identifier: ISC */
#include "leasectl/lint/lines.h"

#include "lib/base/buf.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { PIECE_BYTES = 65536 };

struct reading {
    lint_line_fn *fn;
    void *ctx;
    struct buf line; /* the beginning of one whose end was not read yet, cut */
    bool open;       /* there is such a line */
    unsigned long line_no;
};

static void keep(struct reading *r, const char *piece, size_t len)
{
    size_t room = LINT_LINE_BYTES - r->line.len;
    buf_add_mem(&r->line, piece, len < room ? len : room);
    r->open = true;
}

static int end_line(struct reading *r)
{
    int rc = r->fn(r->ctx, ++r->line_no, r->line.len > 0 ? r->line.data : "", r->line.len);
    buf_clear(&r->line);
    r->open = false;
    return rc;
}

/* 0; 1: stopped; -1: out of memory. */
static int take(struct reading *r, const char *piece, size_t len)
{
    while (len > 0) {
        const char *end = memchr(piece, '\n', len);
        size_t bytes = end == NULL ? len : (size_t)(end - piece);
        keep(r, piece, bytes);
        if (r->line.failed)
            return -1;
        if (end == NULL)
            return 0;
        if (end_line(r) != 0)
            return 1;
        piece += bytes + 1;
        len -= bytes + 1;
    }
    return 0;
}

enum lint_lines_rc lint_lines_read(int fd, lint_line_fn *fn, void *ctx)
{
    char piece[PIECE_BYTES];
    struct reading r = {.fn = fn, .ctx = ctx};
    enum lint_lines_rc rc = LINT_LINES_OK;
    int64_t total = 0;
    while (rc == LINT_LINES_OK) {
        ssize_t n = read(fd, piece, sizeof(piece));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            rc = LINT_LINES_ERROR;
        if (n <= 0)
            break;
        total += n;
        int taken = take(&r, piece, (size_t)n);
        if (taken < 0) {
            errno = ENOMEM;
            rc = LINT_LINES_ERROR;
        } else if (taken > 0) {
            rc = LINT_LINES_STOPPED;
        } else if (total > LINT_FILE_BYTES) {
            rc = LINT_LINES_TOO_LARGE;
        }
    }
    if (rc == LINT_LINES_OK && r.open && end_line(&r) != 0)
        rc = LINT_LINES_STOPPED;
    buf_release(&r.line);
    return rc;
}
