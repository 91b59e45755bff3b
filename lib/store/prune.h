/* SPDX-License-Identifier: ISC */
/* What nobody needs any more goes: dead leases, the ports of expired ones, agents that never came.
 */
#ifndef TUNLEASE_STORE_PRUNE_H
#define TUNLEASE_STORE_PRUNE_H

#include "lib/store/actor.h"
#include "lib/store/range.h"
#include "lib/store/store.h"

#include <stdint.h>

/* Forgets those that ended, or were revoked, before before_s. One audit row, if there are any.
 * Within a transaction. */
enum store_rc store_prune_dead(struct store *st, const struct lease_range *range, int64_t before_s,
                               const struct store_actor *by, int64_t *ret_pruned);

/* Ports low to high that leases hold which ended before before_s: they are free from now on, and
 * kept for their holders as others are. The leases stay, and may come back. In a transaction. */
enum store_rc store_ports_free_expired(struct store *st, uint16_t low, uint16_t high,
                                       int64_t before_s, int64_t now_s);

/* Agents that registered before before_s and never opened a session: whether there are any
 * (STORE_NONE: none), and, within a transaction: gone, their ports nobody's. */
enum store_rc store_agents_unused(struct store *st, const struct lease_range *range,
                                  int64_t before_s);
enum store_rc store_agents_delete_unused(struct store *st, const struct lease_range *range,
                                         int64_t before_s, const struct store_actor *by);

#endif
