/* SPDX-License-Identifier: ISC */
/* The output of a command that lists things: a table, or with --json an array. */
#ifndef TUNLEASE_LEASECTL_SHOW_LISTING_H
#define TUNLEASE_LEASECTL_SHOW_LISTING_H

#include "leasectl/ctl.h"
#include "lib/base/buf.h"
#include "lib/base/table.h"
#include "lib/wire/json.h"

#include <stddef.h>

struct listing {
    const struct ctl *ctl; /* borrowed */
    struct table table;
    struct buf json; /* the objects so far */
};

/* headings: as in table_init. */
void listing_begin(struct listing *l, const struct ctl *ctl, const char *const headings[]);

/* Adds an object to the array. 0, or -1: out of memory, which listing_end will say. */
int listing_add_object(struct listing *l, const struct json_field *fields, size_t count);

/* Shows the table or the array, if code is EXIT_DONE, and releases l. Returns code, or EXIT_FAILED
 * with the error printed if memory ran out. */
int listing_end(struct listing *l, int code);

#endif
