/* SPDX-License-Identifier: ISC */
/* Deletes what is no longer needed: dead leases, ports of expired leases, agents that never opened
 * a session. */
#ifndef TUNLEASE_STORE_PRUNE_H
#define TUNLEASE_STORE_PRUNE_H

#include "lib/store/actor.h"
#include "lib/store/range.h"
#include "lib/store/store.h"

#include <stdint.h>

/* Deletes leases that expired or were revoked before before_s, but not revoked agents. Writes one
 * audit row if there are any. Call it within a transaction. */
enum store_rc store_prune_dead(struct store *st, const struct lease_range *range, int64_t before_s,
                               const struct store_actor *by, int64_t *ret_pruned);

/* Frees the ports low..high of leases that expired before before_s; their quarantine starts now, as
 * for others. The leases stay and may be renewed. Call it within a transaction. */
enum store_rc store_ports_free_expired(struct store *st, uint16_t low, uint16_t high,
                                       int64_t before_s, int64_t now_s);

/* Agents that registered before before_s and never opened a session. store_agents_unused: whether
 * there are any (STORE_NONE: no). store_agents_delete_unused, within a transaction: deletes them,
 * their ports without quarantine. */
enum store_rc store_agents_unused(struct store *st, const struct lease_range *range,
                                  int64_t before_s);
enum store_rc store_agents_delete_unused(struct store *st, const struct lease_range *range,
                                         int64_t before_s, const struct store_actor *by);

#endif
