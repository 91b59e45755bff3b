/* SPDX-License-Identifier: ISC */
/*
 * What has to look at all leases, done piece by piece: their numbers are the only order of them
 * that costs akc nothing (sql/schema.sql), so the daemon walks from number to number, a piece in a
 * transaction, and what a piece costs does not grow with the store. Who walks:
 *
 *   struct lease_range r = {0};
 *   while (store_range_next(st, limit, &r) == STORE_OK)
 *       ... what is to be done with r ...
 */
#ifndef TUNLEASE_STORE_WALK_H
#define TUNLEASE_STORE_WALK_H

#include "lib/store/range.h"
#include "lib/store/store.h"

#include <stdint.h>

/* The next of them, at most limit, behind those that *range has. STORE_NONE: that were all. */
enum store_rc store_range_next(struct store *st, int64_t limit, struct lease_range *range);

/* Active agents whose open permits are not these, as lib/lease writes a list. */
typedef int (*store_id_fn)(void *ctx, int64_t id);
enum store_rc store_agents_opening_other(struct store *st, const struct lease_range *range,
                                         const char *open, int64_t now_s, store_id_fn fn,
                                         void *ctx);

/* Active leases that end after after_s and by until_s. */
typedef int (*store_ending_fn)(void *ctx, int64_t id, const char *name, int64_t expires_s);
enum store_rc store_leases_ending(struct store *st, const struct lease_range *range,
                                  int64_t after_s, int64_t until_s, store_ending_fn fn, void *ctx);

#endif
