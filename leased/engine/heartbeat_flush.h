/* SPDX-License-Identifier: ISC */
/*
 * When pending heartbeats are flushed into their leases (leased/requests/beats.h): in transactions
 * with requests; or in transactions of their own, when no requests come, or after a transaction
 * with both has failed.
 */
#ifndef TUNLEASE_LEASED_ENGINE_HEARTBEAT_FLUSH_H
#define TUNLEASE_LEASED_ENGINE_HEARTBEAT_FLUSH_H

#include "leased/requests/beats.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stddef.h>

struct event;
struct event_base;
struct metrics;
struct open_store;

struct heartbeat_flush {
    struct open_store *open_store;
    struct metrics *metrics;
    struct beats beats;
    bool own_transaction_only; /* not in those of requests, until a flush succeeds */
    struct event *on_due;
};

/* Reads the pending heartbeats from the store. */
enum store_rc heartbeat_flush_load(struct heartbeat_flush *f, struct open_store *open_store,
                                   struct metrics *metrics);
/* Returns 0, or -1: out of memory. */
int heartbeat_flush_start(struct heartbeat_flush *f, struct event_base *base);
/* Flushes at once what heartbeat_flush_load has read. */
void heartbeat_flush_begin(struct heartbeat_flush *f);
void heartbeat_flush_release(struct heartbeat_flush *f);

/* Another store was opened: drops what was pending for the old one, and reads the new one. */
enum store_rc heartbeat_flush_reload(struct heartbeat_flush *f);

/* Sets the timer for the next flush, if anything is pending. failed: the last flush failed, so not
 * at once. */
void heartbeat_flush_arm(struct heartbeat_flush *f, bool failed);

/* Flushes everything, as far as the store allows. Done before sessions are judged at the start,
 * since leases may be behind what their agents were told; and at the end, since nobody knows when
 * leased starts again. */
void heartbeat_flush_all(struct heartbeat_flush *f);

/*
 * For a transaction with requests. First call heartbeat_flush_is_due. If it says so, call
 * heartbeat_flush_some within the transaction: it flushes as many rows as suit that number of
 * requests. In either case, afterwards call heartbeat_flush_committed or
 * heartbeat_flush_rolled_back.
 */
bool heartbeat_flush_is_due(struct heartbeat_flush *f);
enum store_rc heartbeat_flush_some(struct heartbeat_flush *f, size_t requests);
void heartbeat_flush_committed(struct heartbeat_flush *f);
/* with_some: heartbeat_flush_is_due had returned true for this transaction. */
void heartbeat_flush_rolled_back(struct heartbeat_flush *f, bool with_some);

#endif
