/* SPDX-License-Identifier: ISC */
/* An open store, whatever it was opened for. */
#ifndef TUNLEASE_STORE_CONNECTION_H
#define TUNLEASE_STORE_CONNECTION_H

#include "lib/store/store.h"

#include <stdint.h>

void store_close(struct store *st); /* accepts NULL; rolls back what was not committed */

/* What the last STORE_BUSY or STORE_FAIL was, as one line for a person. Until the next call. */
const char *store_error(const struct store *st);

/* ---- for a process that stays ---- */

/* How long a locked store is waited for; 0: STORE_BUSY at once. */
void store_set_timeout(struct store *st, int timeout_ms);

/* A number that changes when another process has changed the store, and for no change of our own.
 */
enum store_rc store_data_version(struct store *st, int64_t *ret);

/* Rows that this connection inserted, changed or deleted since it was opened. */
int64_t store_rows_changed(const struct store *st);

/* Empties the write-ahead log into the store, when nobody reads it just now
 * (docs/sqlite-facts.md 1.8). */
enum store_rc store_checkpoint(struct store *st);

#endif
