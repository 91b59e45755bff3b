/* SPDX-License-Identifier: ISC */
/*
 * Inside lib/store: who holds a listen port, or held it. A port has one owner, whatever the
 * address, and a freed one is kept for its former holder, by name, until its quarantine is over.
 */
#ifndef TUNLEASE_STORE_PORTS_H
#define TUNLEASE_STORE_PORTS_H

#include "lib/store/conflict.h"
#include "lib/store/store.h"

#include <stdint.h>

struct permit_list;

/* Takes every port of the list for a lease. STORE_CONFLICT: one is another's, who is in *ret. */
enum store_rc ports_acquire(struct store *st, int64_t lease_id, const char *name,
                            const struct permit_list *listen, int64_t quarantine_s, int64_t now_s,
                            struct store_conflict *ret);

/* Those that a lease holds are free from now on, in quarantine. */
enum store_rc ports_free(struct store *st, int64_t lease_id, int64_t now_s);

/* They are nobody's and were nobody's. */
enum store_rc ports_delete(struct store *st, int64_t lease_id);

#endif
