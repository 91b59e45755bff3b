/* SPDX-License-Identifier: ISC */
/* Inside lib/store: one state of the store for several statements. */
#ifndef TUNLEASE_STORE_SNAPSHOT_H
#define TUNLEASE_STORE_SNAPSHOT_H

#include "lib/store/store.h"

/* Until snapshot_end all statements see one state of the store, under one lock. May be nested, also
 * within a transaction that writes. Call snapshot_end only after a snapshot_begin that returned
 * STORE_OK. */
enum store_rc snapshot_begin(struct store *st);
void snapshot_end(struct store *st);

#endif
