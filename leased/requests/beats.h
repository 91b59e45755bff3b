/* SPDX-License-Identifier: ISC */
/*
 * Heartbeats of a busy gateway (lib/store/beats.h): durable at once, behind one another, and put
 * into their leases some seconds later, in the order of those, a little with each commit. What a
 * heartbeat costs is then much the same for a thousand agents and for sixty thousand. As long as
 * few come, each goes into its lease at once, and nothing of this is used.
 *
 * Nothing here begins or ends a transaction. What was done in one counts when beats_committed says
 * so; beats_rolled_back takes it back, but for the newest heartbeat of a lease: it was sent,
 * whether or not its row came to be, and may be put there.
 */
#ifndef TUNLEASE_LEASED_REQUESTS_BEATS_H
#define TUNLEASE_LEASED_REQUESTS_BEATS_H

#include "lib/store/beats.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    BEATS_DIRECT_PER_S = 64,  /* a second go into their lease at once */
    BEATS_ROWS_MAX = 262144,  /* wait; as many again are being put there */
    BEATS_SLOTS = 131072,     /* for the leases that they are of, a power of two */
    BEATS_LEASES_MAX = 98304, /* and so many of these are taken at most */
    BEATS_LEASE_S = 600,      /* so near its end, a lease itself has to say when that is */
    BEATS_FLUSH_MS = 10000,   /* how long the oldest waits */
    BEATS_RETRY_MS = 3000,    /* and one whose lease could not be written */
    BEATS_FLUSH_ROWS = 2048,  /* rows of a commit that has nothing else to do */
    BEATS_PAUSE_MS = 20,      /* and from one such to the next */
};

struct beats {
    /* The newest of each lease that waits, by a hash of its number; lease_id 0 is a free slot. */
    struct beat *pending;
    size_t lease_count;
    int64_t row_count, rows_committed;
    int64_t put_back, put_back_committed; /* rows among these of leases that could not be written */
    int64_t put_back_logged_ms;
    int64_t next_seq;
    int64_t oldest_ms; /* of the monotonic clock */

    /* These are being put into their leases, by number; NULL: none is. */
    struct beat *flushing;
    size_t flushing_count, flushed, flushed_committed;
    int64_t flushing_last_seq;                   /* their rows end there, */
    int64_t deleted_last_seq, deleted_committed; /* and are gone up to there */

    int64_t second_ms; /* when the count of this second began */
    unsigned in_second;
    int64_t rows_flushed; /* changed by it, of leases and of these */
};

/* Takes up what is in the store, where leased ended before it had settled. */
enum store_rc beats_load(struct beats *b, struct store *st);
void beats_release(struct beats *b);

/* Whether the next one is to be added here; no: it belongs into its lease at once. lease_end_s: the
 * end in the lease's row. */
bool beats_defers(struct beats *b, int64_t lease_end_s, const struct beat *beat, int64_t now_ms);
/* One that beats_defers took. */
enum store_rc beats_add(struct beats *b, struct store *st, const struct beat *beat, int64_t now_ms);

/* Outside a transaction: those that have waited long enough are made ready. True: beats_flush has
 * work. */
bool beats_begin_due(struct beats *b, int64_t now_ms);
/* Whether a lease may not know yet what its agent was told and could be told it; rows may be left
 * to be deleted. */
bool beats_are_behind(const struct beats *b);
/* Changes at most so many rows. puts_back: a lease that cannot be written waits again, durably, and
 * the others go on; else it is a failure. */
enum store_rc beats_flush(struct beats *b, struct store *st, size_t rows, bool puts_back,
                          int64_t now_ms);
/* Until beats_begin_due is to be asked; -1: nothing waits. */
int64_t beats_due_in_ms(const struct beats *b, int64_t now_ms);

void beats_committed(struct beats *b);
void beats_rolled_back(struct beats *b);

#endif
