/* SPDX-License-Identifier: ISC */
/* Inside lib/store: what every reader of a lease row shares, akc and leasectl alike. */
#ifndef TUNLEASE_STORE_ROW_H
#define TUNLEASE_STORE_ROW_H

#include "lib/store/statement.h"

struct lease;

/* The columns, in this order, that every statement which reads a lease selects. */
enum row_column {
    ROW_NAME,
    ROW_OPEN,
    ROW_LISTEN,
    ROW_SOURCES,
    ROW_MAX_SESSIONS,
    ROW_EXPIRES,
    ROW__MAX
};

/*
 * Takes them from column `first` on. Every one is checked anew: SQLite has no checksums, and a
 * flipped byte in a row is served as it is (docs/sqlite-facts.md 1.7). STORE_FAIL names
 * the damage, *ret is untouched then; else to be released.
 */
enum store_rc row_read_lease(struct store *st, sqlite3_stmt *s, int first, int64_t id,
                             struct lease *ret);

#endif
