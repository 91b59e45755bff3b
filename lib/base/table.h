/* SPDX-License-Identifier: ISC */
/*
 * Tables: on a terminal aligned with a heading, and as wide as the terminal (lib/base/layout.h);
 * when piped, tab-separated without a heading, always the same columns in the same order, so that
 * cut(1) and awk(1) can rely on them.
 */
#ifndef TUNLEASE_BASE_TABLE_H
#define TUNLEASE_BASE_TABLE_H

#include "lib/base/layout.h"

#include <stdbool.h>
#include <stddef.h>

struct table {
    const char *const *headings;
    size_t column_count;
    char **cells; /* row after row; owned */
    size_t cell_count, cell_room;
    bool failed; /* memory ran out */
};

/* headings (borrowed, NULL-terminated) in capitals. */
void table_init(struct table *t, const char *const headings[]);
/* Adds the next cell, row by row: a copy, escaped for a terminal (lib/base/text.h). */
void table_add(struct table *t, const char *cell);

/* 0; or -1 and prints nothing if memory ran out. */
int table_print(const struct table *t, bool terminal);
void table_release(struct table *t);

#endif
