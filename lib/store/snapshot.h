/* SPDX-License-Identifier: ISC */
/* Inside lib/store: one state of the store for several statements. */
#ifndef TUNLEASE_STORE_SNAPSHOT_H
#define TUNLEASE_STORE_SNAPSHOT_H

#include "lib/store/store.h"

/* One state of the store for all that is asked until snapshot_end, and one lock for it. May be
 * nested, also in a transaction that writes; snapshot_end is for a snapshot_begin that returned
 * STORE_OK. */
enum store_rc snapshot_begin(struct store *st);
void snapshot_end(struct store *st);

#endif
