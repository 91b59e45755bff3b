/* SPDX-License-Identifier: ISC */
/*
 * Heartbeats as they come: rows behind one another, so that a commit of many writes few pages
 * however many leases there are. Each is durable like any other change; its lease learns of it
 * later, from store_beat_apply, and then the row goes. Who finds rows here at its start settles
 * them first of all. All but the list run within store_begin and store_commit.
 */
#ifndef TUNLEASE_STORE_BEATS_H
#define TUNLEASE_STORE_BEATS_H

#include "lib/store/store.h"

#include <stdint.h>

struct beat {
    int64_t lease_id, heartbeat_ms;
    int64_t expires_s; /* the end that it gives the lease */
};

/* seq: greater than that of every row there is. */
enum store_rc store_beat_add(struct store *st, int64_t seq, const struct beat *b);

typedef int (*store_beat_fn)(void *ctx, int64_t seq, const struct beat *b);
enum store_rc store_beat_list(struct store *st, store_beat_fn fn, void *ctx);

/* Into its lease. Nothing goes back: not the time of the heartbeat, not the end, and no end moves
 * that an admin has fixed, or a revoked lease's. STORE_NONE: the lease was deleted. */
enum store_rc store_beat_apply(struct store *st, const struct beat *b);

/* Those up to last are settled. */
enum store_rc store_beat_delete(struct store *st, int64_t last);

#endif
