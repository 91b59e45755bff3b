/* SPDX-License-Identifier: ISC */
/* What doctor and backup ask of an open store besides its audit chain (audit_verify.h). */
#ifndef TUNLEASE_STORE_INTEGRITY_H
#define TUNLEASE_STORE_INTEGRITY_H

#include "lib/store/store.h"

#include <stdint.h>

/* The number of the last migration that was run: at most STORE_VERSION. */
enum store_rc store_version_read(struct store *st, int *ret_version);

/*
 * Reads every page of the database. STORE_OK: its structure is sound, and its indices match its
 * tables. STORE_NONE: it is not, and problem is the first fault that SQLite names. It takes some
 * seconds for each GiB.
 */
enum store_rc store_integrity_check(struct store *st, char problem[static STORE_ERROR_BYTES]);

/* The latest time that was written down anywhere: a change, a login, a heartbeat. 0: none was.
 * Reads every lease. */
enum store_rc store_newest_time(struct store *st, int64_t *ret_s);

#endif
