/* SPDX-License-Identifier: ISC */
/*
 * The sweep: what is live is judged against the store, and what may not stay is ended. It acts on
 * signs (inotify on the registry, leased/watch/store_watch.h) and, should one be lost, on a clock.
 * It only reads: what happened is written down when the store's lock can be had.
 */
#ifndef TUNLEASE_LEASED_WATCH_SESSIONS_H
#define TUNLEASE_LEASED_WATCH_SESSIONS_H

#include "leased/watch/endings.h"
#include "leased/watch/unseen.h"
#include "lib/session/registry.h"
#include "lib/session/session_list.h"

#include <stdbool.h>
#include <stdint.h>

struct conf;
struct event;
struct event_base;
struct metrics;
struct open_store;
struct records;

enum { SWEEP_MS = 10000 /* from one sweep to the next, at most */ };

struct sessions {
    const struct conf *conf;
    struct open_store *open_store;
    struct records *records;
    struct metrics *metrics;
    struct event_base *base;

    struct registry registry;
    bool has_registry;
    bool registry_unreadable; /* the last look could not tell which sessions there are: live is
                                 older */
    int64_t unreadable_logged_ms;
    struct session_list judged; /* sorted by lease, as last judged */
    int64_t swept_ms;           /* when that was: by a clock that nobody sets */
    struct unseen unseen;
    struct endings endings;
    unsigned visibility_changes; /* how often what can be seen has become less or more */
    struct event *on_sweep, *on_expiry, *on_registry;
};

/* What it is given is lent for as long as the process lives. 0, or -1. */
int sessions_start(struct sessions *s, struct event_base *base, const struct conf *conf,
                   struct open_store *open_store, struct records *records, struct metrics *metrics);

bool sessions_sweep(struct sessions *s); /* reads, judges, ends; false: it could not look */
void sessions_schedule_sweep(struct sessions *s); /* a sweep in a moment */

/* An open session of the lease, as last judged; NULL: it has none. */
const struct session *sessions_find_open(const struct sessions *s, int64_t lease_id);

/* Whether it has one, by the registry itself: what was last judged may be older than a session that
 * has just been opened. Where it cannot be told, it may. */
bool sessions_may_be_open(const struct sessions *s, int64_t lease_id);

#endif
