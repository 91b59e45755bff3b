/* SPDX-License-Identifier: ISC */
/* Calls for any open store, to read or to write. */
#ifndef TUNLEASE_STORE_CONNECTION_H
#define TUNLEASE_STORE_CONNECTION_H

#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

void store_close(struct store *st); /* accepts NULL; rolls back an open transaction */

/* One line that says why the last call returned STORE_BUSY or STORE_FAIL. Valid until the next
 * call. */
const char *store_error(const struct store *st);

/* True if a statement was stopped because it took too long; another one may take as long. */
bool store_took_too_long(const struct store *st);

/* The version from which opening it to write has migrated the store; 0: it had not to. */
int store_migrated_from(const struct store *st);

/* ---- for a long-running process ---- */

/* How long to wait for a lock of another process; 0: return STORE_BUSY at once. */
void store_set_timeout(struct store *st, int timeout_ms);

/* A number that changes when another process has changed the store, but not when this one has. */
enum store_rc store_data_version(struct store *st, int64_t *ret);

/* A number that changes when a restore or a migration has put others in the place of all tables:
 * nothing that was known of the store need be so. */
enum store_rc store_generation(struct store *st, int64_t *ret);

/* Rows that this connection inserted, changed or deleted since it was opened. */
int64_t store_rows_changed(const struct store *st);

/* Moves the contents of the write-ahead log into the database and empties the log, if nobody is
 * reading at the moment (docs/sqlite-facts.md 1.8). */
enum store_rc store_checkpoint(struct store *st);

#endif
