/* SPDX-License-Identifier: ISC */
/* Inside lib/store: a lease of a backup gets no permit back that it lost since. */
#ifndef TUNLEASE_STORE_BACKUP_NARROW_H
#define TUNLEASE_STORE_BACKUP_NARROW_H

#include "lib/store/backup/found.h"
#include "lib/store/store.h"

/* For each lease that both stores have with other terms: reports it, and takes away what it has
 * not now; forget: only reports. The old store is attached. */
enum store_rc narrow_leases(struct store *work, const struct restore_request *req);

#endif
