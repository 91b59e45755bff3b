/* SPDX-License-Identifier: ISC */
/* What an import prints: a row for each line, and one line at the end. */
#ifndef TUNLEASE_LEASECTL_MOVING_SHOW_H
#define TUNLEASE_LEASECTL_MOVING_SHOW_H

#include "leasectl/moving/moving.h"
#include "lib/base/table.h"

#include <stdbool.h>

struct moving_show {
    const struct ctl *ctl;
    bool all; /* each line of the file; false: only those that are not kept as they are */
    struct table table;
    struct buf json;
};

void moving_show_init(struct moving_show *s, const struct ctl *ctl, bool all);

/* A report function of struct moving; ctx is a struct moving_show. */
void moving_show_line(void *ctx, const struct move *m);

/* Prints the rows, and what became of all lines; with --json, one object as docs/schema/import.json
 * shows it, and only if the import came to its end. EXIT_DONE, or EXIT_FAILED with the error
 * printed: out of memory. */
int moving_show_end(struct moving_show *s, const struct moving *m, bool complete);
void moving_show_release(struct moving_show *s);

#endif
