/* SPDX-License-Identifier: ISC */
/* Closing the files of a store that are no longer the ones at its path: place.h. */
#ifndef TUNLEASE_STORE_LEAVE_H
#define TUNLEASE_STORE_LEAVE_H

#include "lib/store/store.h"

/*
 * Closes the files of a store that is not in place, so that the files now at its path can be
 * opened. store_place_check and store_close may still be called, and store_close must be. If only
 * one of the files was replaced, the old ones next to it are useless, and SQLite would mix them
 * with the new one:
 *   - the database was replaced: what the old log still contains is moved into the old database,
 *     and -wal and -shm are removed; STORE_FAIL if somebody has written to the log since;
 *   - the log is gone: its contents are first moved into the database, and -shm is removed.
 * On anything but STORE_OK nothing was closed: try again.
 */
enum store_rc store_leave(struct store *st);

#endif
