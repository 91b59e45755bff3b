/* SPDX-License-Identifier: ISC */
/*
 * When heartbeats that wait are put into their leases (leased/requests/beats.h): with the commits
 * of requests; in commits of their own where nobody asks, or after one with requests failed.
 */
#ifndef TUNLEASE_LEASED_ENGINE_SETTLING_H
#define TUNLEASE_LEASED_ENGINE_SETTLING_H

#include "leased/requests/beats.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stddef.h>

struct event;
struct event_base;
struct metrics;
struct open_store;

struct settling {
    struct open_store *open_store;
    struct metrics *metrics;
    struct beats beats;
    bool is_alone; /* not with requests, until it works again */
    struct event *on_due;
};

/* Takes up what is in the store. */
enum store_rc settling_open(struct settling *s, struct open_store *open_store,
                            struct metrics *metrics);
int settling_start(struct settling *s, struct event_base *base); /* 0, or -1: no memory */
void settling_begin(struct settling *s);                         /* what was taken up is due */
void settling_release(struct settling *s);

/* Another store is open than before: nothing that waited for the old one is kept. */
enum store_rc settling_use_new(struct settling *s);

/* For what is due, or will be. failed: not at once again. */
void settling_await(struct settling *s, bool failed);

/* All at once, as far as the store lets us: before sessions are judged by leases that may not know
 * what their agents were told, and when we go, who knows for how long. */
void settling_finish(struct settling *s);

/*
 * With a commit of requests: whether some are due; then, within its transaction, as many as go with
 * so many requests; then what became of that.
 */
bool settling_is_due(struct settling *s);
enum store_rc settling_do_some(struct settling *s, size_t requests);
void settling_committed(struct settling *s);
/* with_some: settling_is_due was true. */
void settling_undone(struct settling *s, bool with_some);

#endif
