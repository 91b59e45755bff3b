/* SPDX-License-Identifier: ISC */
/* Inside lib/store: describes failures in words. */
#ifndef TUNLEASE_STORE_FAILURE_H
#define TUNLEASE_STORE_FAILURE_H

#include "lib/store/store.h"

#include <stdint.h>

/* Translates a result of SQLite and writes store_error. */
enum store_rc store_failed(struct store *st, int sqlite_rc);

/* STORE_FAIL: a field of a lease's row is invalid; what: which field. */
enum store_rc store_damaged(struct store *st, const char *what, int64_t lease_id);

/* STORE_FAIL, with `why` as store_error. */
enum store_rc store_failed_because(struct store *st, const char *why);

/* Says in err why the store at path cannot be opened. */
void open_failed(char err[static STORE_ERROR_BYTES], const char *path, const char *why);

#endif
