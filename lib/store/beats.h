/* SPDX-License-Identifier: ISC */
/*
 * Pending heartbeats: rows appended one after the other, so that a commit of many writes few pages,
 * however many leases they belong to. Each is durable like any other change. Later store_beat_apply
 * writes it into its lease, and then the row is deleted. A process that finds rows here when it
 * starts applies them before anything else. All calls but store_beat_list run between store_begin
 * and store_commit.
 */
#ifndef TUNLEASE_STORE_BEATS_H
#define TUNLEASE_STORE_BEATS_H

#include "lib/lease/agent_counter.h"
#include "lib/store/store.h"

#include <stdint.h>

struct beat {
    int64_t lease_id, heartbeat_ms;
    int64_t expires_s;            /* the new end of the lease */
    struct agent_counter counter; /* the pair that it came with; its number 0: none */
};

/* seq must be greater than that of every existing row. */
enum store_rc store_beat_add(struct store *st, int64_t seq, const struct beat *b);

typedef int (*store_beat_fn)(void *ctx, int64_t seq, const struct beat *b);
enum store_rc store_beat_list(struct store *st, store_beat_fn fn, void *ctx);

/* Writes a heartbeat into its lease. Never moves the time of the last heartbeat, the end or the
 * counter back; does not change an end that an admin fixed, or the end of a revoked lease.
 * STORE_NONE: the lease was deleted. */
enum store_rc store_beat_apply(struct store *st, const struct beat *b);

/* Deletes the rows up to seq `last`, which were applied. */
enum store_rc store_beat_delete(struct store *st, int64_t last);

#endif
