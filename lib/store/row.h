/* SPDX-License-Identifier: ISC */
/* Inside lib/store: reads a lease from a row, for akc and leasectl alike. */
#ifndef TUNLEASE_STORE_ROW_H
#define TUNLEASE_STORE_ROW_H

#include "lib/store/statement.h"

struct lease;

/* The columns that every statement on leases selects, in this order. */
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
 * Reads the columns from column `first` on, and checks each: SQLite has no checksums, and returns a
 * flipped byte as it is (docs/sqlite-facts.md 1.7). STORE_FAIL: store_error says which field is
 * invalid, and *ret is unchanged. Else release *ret with lease_release.
 */
enum store_rc row_read_lease(struct store *st, sqlite3_stmt *s, int first, int64_t id,
                             struct lease *ret);

#endif
