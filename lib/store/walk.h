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

#include "lib/store/store.h"

/* The leases with numbers greater than after, up to last. */
struct lease_range {
    int64_t after, last;
};

/* The next of them, at most limit, behind those that *range has. STORE_NONE: that were all. */
enum store_rc store_range_next(struct store *st, int64_t limit, struct lease_range *range);

/* Forgets those that ended, or were revoked, before before_s. One audit row, if there are any.
 * Within a transaction. */
enum store_rc store_prune_dead(struct store *st, const struct lease_range *in, int64_t before_s,
                               const struct store_actor *by, int64_t *ret_pruned);

/* Ports low to high that leases hold which ended before before_s: they are free from now on, and
 * kept for their holders as others are. The leases stay, and may come back. In a transaction. */
enum store_rc store_ports_free_expired(struct store *st, uint16_t low, uint16_t high,
                                       int64_t before_s, int64_t now_s);

/* Agents that registered before before_s and never opened a session: whether there are any
 * (STORE_NONE: none), and, within a transaction: gone, their ports nobody's. */
enum store_rc store_agents_unused(struct store *st, const struct lease_range *in, int64_t before_s);
enum store_rc store_agents_forget_unused(struct store *st, const struct lease_range *in,
                                         int64_t before_s, const struct store_actor *by);

/* Active agents whose open permits are not these, as lib/lease writes a list. */
typedef int (*store_id_fn)(void *ctx, int64_t id);
enum store_rc store_agents_opening_other(struct store *st, const struct lease_range *in,
                                         const char *open, int64_t now_s, store_id_fn fn,
                                         void *ctx);

/* Active leases that end after after_s and by until_s. */
typedef int (*store_ending_fn)(void *ctx, int64_t id, const char *name, int64_t expires_s);
enum store_rc store_leases_ending(struct store *st, const struct lease_range *in, int64_t after_s,
                                  int64_t until_s, store_ending_fn fn, void *ctx);

/* How many there are. */
struct store_counts {
    int64_t active[2], expired[2], revoked[2]; /* of grants, of agents */
    int64_t next_expiry_s;                     /* 0: none */
    int64_t audit_rows;
    int64_t ports_held, ports_kept;
};
/* Adds the leases of a range; the rest of it, which is counted at once, is set by the second. */
enum store_rc store_count_leases(struct store *st, const struct lease_range *in, int64_t now_s,
                                 struct store_counts *counts);
enum store_rc store_count_rest(struct store *st, struct store_counts *counts);

#endif
