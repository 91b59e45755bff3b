/* SPDX-License-Identifier: ISC */
/* Inside lib/store: what went wrong, in words. */
#ifndef TUNLEASE_STORE_FAILURE_H
#define TUNLEASE_STORE_FAILURE_H

#include "lib/store/store.h"

#include <stdint.h>

/* Maps SQLite's result to ours and writes store_error. */
enum store_rc store_failed(struct store *st, int sqlite_rc);

/* STORE_FAIL: what of a lease's row is not what it should be. */
enum store_rc store_damaged(struct store *st, const char *what, int64_t lease_id);

/* STORE_FAIL, with these words as store_error. */
enum store_rc store_failed_because(struct store *st, const char *why);

/* The words for one that could not be opened. */
void open_failed(char err[static STORE_ERROR_BYTES], const char *path, const char *why);

#endif
