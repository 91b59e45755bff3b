/* SPDX-License-Identifier: ISC */
/* Inside lib/store: inserts a new lease of any kind, with its keys. */
#ifndef TUNLEASE_STORE_LEASE_ADD_H
#define TUNLEASE_STORE_LEASE_ADD_H

#include "lib/store/actor.h"
#include "lib/store/conflict.h"
#include "lib/store/store.h"

#include <stdint.h>

struct lease;
struct lease_key;

/* As store_lease_add, for a lease of any kind. id: its number; 0: the next one. */
enum store_rc add_lease(struct store *st, const char *kind, int64_t id, const struct lease *l,
                        int64_t quarantine_s, const struct store_actor *by, int64_t *ret_id,
                        struct store_conflict *ret_conflict);

/* The same without an audit row. */
enum store_rc insert_whole_lease(struct store *st, const char *kind, int64_t id,
                                 const struct lease *l, int64_t quarantine_s,
                                 const struct store_actor *by, int64_t *ret_id,
                                 struct store_conflict *ret_conflict);

/* Inserts the row of the lease alone; id as above. STORE_CONFLICT: a lease that is not revoked has
 * the name. */
enum store_rc insert_lease(struct store *st, const char *kind, int64_t id, const struct lease *l,
                           const struct store_actor *by, int64_t *ret_id);

/* STORE_CONFLICT: a lease on this login that is not revoked has the key; *ret_conflict (may be
 * NULL) says which. */
enum store_rc insert_key(struct store *st, const struct lease *l, int64_t lease_id,
                         const struct lease_key *key, int64_t now_s,
                         struct store_conflict *ret_conflict);

#endif
