/* SPDX-License-Identifier: ISC */
/*
 * When heartbeats that wait are put into their leases (leased/requests/beats.h): with the commits
 * of requests; in commits of their own where nobody asks, or after one with requests failed.
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
    bool own_transaction_only; /* not with requests, until it works again */
    struct event *on_due;
};

/* Takes up what is in the store. */
enum store_rc heartbeat_flush_load(struct heartbeat_flush *f, struct open_store *open_store,
                                   struct metrics *metrics);
int heartbeat_flush_start(struct heartbeat_flush *f,
                          struct event_base *base);    /* 0, or -1: no memory */
void heartbeat_flush_begin(struct heartbeat_flush *f); /* what was taken up is due */
void heartbeat_flush_release(struct heartbeat_flush *f);

/* Another store is open than before: nothing that waited for the old one is kept. */
enum store_rc heartbeat_flush_reload(struct heartbeat_flush *f);

/* For what is due, or will be. failed: not at once again. */
void heartbeat_flush_arm(struct heartbeat_flush *f, bool failed);

/* All at once, as far as the store lets us: before sessions are judged by leases that may not know
 * what their agents were told, and when we go, who knows for how long. */
void heartbeat_flush_all(struct heartbeat_flush *f);

/*
 * With a commit of requests: whether some are due; then, within its transaction, as many as go with
 * so many requests; then what became of that.
 */
bool heartbeat_flush_is_due(struct heartbeat_flush *f);
enum store_rc heartbeat_flush_some(struct heartbeat_flush *f, size_t requests);
void heartbeat_flush_committed(struct heartbeat_flush *f);
/* with_some: heartbeat_flush_is_due was true. */
void heartbeat_flush_rolled_back(struct heartbeat_flush *f, bool with_some);

#endif
