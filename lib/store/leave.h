/* SPDX-License-Identifier: ISC */
/* Letting go of a store that does not lie at its path any more: place.h. */
#ifndef TUNLEASE_STORE_LEAVE_H
#define TUNLEASE_STORE_LEAVE_H

#include "lib/store/store.h"

/*
 * Closes the files of a store that is not in place, so that what lies there now can be opened; it
 * can be looked at further on, and is to be closed at last. Where one of its files was replaced,
 * the others that lie there are of no use beside the new one, and SQLite would mix them:
 *  - the database alone: what its log still holds is put where it belongs, and -wal and -shm are
 *    taken away; not if somebody has written to the log since;
 *  - the log is gone: it is emptied into the database before, and -shm is taken away.
 * Anything but STORE_OK: try again, nothing was closed.
 */
enum store_rc store_leave(struct store *st);

#endif
