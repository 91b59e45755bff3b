/* SPDX-License-Identifier: ISC */
/*
 * A walk through all leases, in steps. Ids are the only order of the leases that costs akc nothing
 * (sql/schema.sql). So leased walks from id to id, one range in a transaction, and the cost of a
 * step does not grow with the store:
 *
 *   struct lease_range r = {0};
 *   while (store_range_next(st, limit, &r) == STORE_OK)
 *       ... handle the leases of r ...
 */
#ifndef TUNLEASE_STORE_WALK_H
#define TUNLEASE_STORE_WALK_H

#include "lib/store/range.h"
#include "lib/store/store.h"

#include <stdint.h>

/* Sets *range to the next leases after it, at most `limit`. STORE_NONE: no more leases. */
enum store_rc store_range_next(struct store *st, int64_t limit, struct lease_range *range);

/* Calls fn for active agents whose open permits differ from `open`, a list as lib/lease writes
 * it. */
typedef int (*store_id_fn)(void *ctx, int64_t id);
enum store_rc store_agents_opening_other(struct store *st, const struct lease_range *range,
                                         const char *open, int64_t now_s, store_id_fn fn,
                                         void *ctx);

/* Calls fn for active leases with after_s < end <= until_s. */
typedef int (*store_ending_fn)(void *ctx, int64_t id, const char *name, int64_t expires_s);
enum store_rc store_leases_ending(struct store *st, const struct lease_range *range,
                                  int64_t after_s, int64_t until_s, store_ending_fn fn, void *ctx);

#endif
