/* SPDX-License-Identifier: ISC */
/*
 * Heartbeats of a busy gateway (lib/store/beats.h). Each is durable at once, as a row in a table
 * that only grows at its end; some seconds later the rows are flushed into their leases, in the
 * order of the leases, a few with each commit. So a heartbeat costs about the same for a thousand
 * agents and for sixty thousand. While heartbeats are few, each goes into its lease at once, and
 * nothing of this is used.
 *
 * Nothing here begins or ends a transaction. Work done in one counts after beats_committed;
 * beats_rolled_back undoes it, except for the newest heartbeat of a lease, which is kept pending:
 * it was received, whether or not its row was committed, and may go into the lease.
 */
#ifndef TUNLEASE_LEASED_REQUESTS_BEATS_H
#define TUNLEASE_LEASED_REQUESTS_BEATS_H

#include "lib/store/beats.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    BEATS_DIRECT_PER_S = 64,  /* heartbeats a second that go into their leases at once */
    BEATS_ROWS_MAX = 262144,  /* rows pending; as many again can be in a flush */
    BEATS_SLOTS = 131072,     /* slots for their leases, a power of two */
    BEATS_LEASES_MAX = 98304, /* slots that are used at most */
    BEATS_LEASE_S = 600,      /* a lease so near its end is written at once */
    BEATS_FLUSH_MS = 10000,   /* how long the oldest is pending */
    BEATS_RETRY_MS = 3000,    /* the same, after its lease could not be written */
    BEATS_FLUSH_ROWS = 2048,  /* rows changed in a transaction of their own */
    BEATS_PAUSE_MS = 20,      /* from one such transaction to the next */
};

struct beats {
    /* The newest pending heartbeat of each lease, in slots by a hash of the lease's id; lease_id 0
     * is a free slot. */
    struct beat *pending;
    size_t lease_count;
    int64_t row_count, rows_committed;
    int64_t put_back, put_back_committed; /* rows among these whose lease could not be written */
    int64_t put_back_logged_ms;
    int64_t next_seq;
    int64_t oldest_ms; /* monotonic clock */

    /* The heartbeats that are being flushed, sorted by lease_id; NULL: no flush is under way. */
    struct beat *flushing;
    size_t flushing_count, flushed, flushed_committed;
    int64_t flushing_last_seq;                   /* the last of their rows */
    int64_t deleted_last_seq, deleted_committed; /* rows are deleted up to this one */

    int64_t second_ms; /* when in_second began to count */
    unsigned in_second;
    int64_t rows_flushed; /* rows changed by flushes: of leases and of heartbeats */
};

/* Reads the heartbeats that a former leased had not flushed; they are flushed at once. */
enum store_rc beats_load(struct beats *b, struct store *st);
void beats_release(struct beats *b);

/* Whether this heartbeat is to be added here; if not, it goes into its lease at once. lease_end_s:
 * the end in the lease's row. */
bool beats_defers(struct beats *b, int64_t lease_end_s, const struct beat *beat, int64_t now_ms);
/* Adds one for which beats_defers said true. */
enum store_rc beats_add(struct beats *b, struct store *st, const struct beat *beat, int64_t now_ms);

/* What is pending of a lease, or being flushed: the newest heartbeat_ms and counter, each 0 if
 * there is none. The lease's row may be behind them. */
struct beat beats_newest(const struct beats *b, int64_t lease_id);
/* Forgets the counters of a lease that are pending. store_agent_forget_counter forgets their rows.
 */
void beats_forget_counter(struct beats *b, int64_t lease_id);

/* Call outside a transaction. Begins a flush if one is due. True: a flush is under way, and
 * beats_flush has work. */
bool beats_begin_due(struct beats *b, int64_t now_ms);
/* Whether some lease may still be behind what its agent was told, and could be written. Flushed
 * rows that are only left to be deleted do not count. */
bool beats_are_behind(const struct beats *b);
/* Changes at most that number of rows. puts_back: a heartbeat whose lease cannot be written becomes
 * pending again, durably, and the flush goes on; otherwise the flush fails. */
enum store_rc beats_flush(struct beats *b, struct store *st, size_t rows, bool puts_back,
                          int64_t now_ms);
/* How long until beats_begin_due should be called; -1: nothing is pending. */
int64_t beats_due_in_ms(const struct beats *b, int64_t now_ms);

void beats_committed(struct beats *b);
void beats_rolled_back(struct beats *b);

#endif
