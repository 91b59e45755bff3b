/* SPDX-License-Identifier: ISC */
/* Inside lib/store: one state of the store for several statements. */
#ifndef TUNLEASE_STORE_SNAPSHOT_H
#define TUNLEASE_STORE_SNAPSHOT_H

#include "lib/store/store.h"

/* One state of the store for all that is asked until read_end, and one lock for it. May be nested,
 * also in a transaction that writes; read_end is for a read_begin that returned STORE_OK. */
enum store_rc read_begin(struct store *st);
void read_end(struct store *st);

#endif
