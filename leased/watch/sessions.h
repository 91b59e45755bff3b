/* SPDX-License-Identifier: ISC */
/*
 * The sweep: judges all live sessions against the store, and ends those that may not stay. A sweep
 * is started by signs of change (inotify on the registry; leased/watch/store_watch.h), and by a
 * timer in case a sign was lost. It only reads the store: what happened is recorded, and written
 * when the store's lock can be had.
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

enum { SWEEP_MS = 10000 /* at most this long from one sweep to the next */ };

struct sessions {
    const struct conf *conf;
    struct open_store *open_store;
    struct records *records;
    struct metrics *metrics;
    struct event_base *base;

    struct registry registry;
    bool has_registry;
    bool registry_unreadable; /* the last sweep could not read it: judged is older */
    int64_t unreadable_logged_ms;
    struct session_list judged; /* as last judged, sorted by lease */
    int64_t swept_ms;           /* when they were, by the monotonic clock */
    struct unseen unseen;
    struct endings endings;
    unsigned visibility_changes; /* counts each time that the registry or sessions became visible or
                                    invisible */
    struct event *on_sweep, *on_expiry, *on_registry;
};

/* All arguments must live as long as the process. Returns 0, or -1: out of memory. */
int sessions_start(struct sessions *s, struct event_base *base, const struct conf *conf,
                   struct open_store *open_store, struct records *records, struct metrics *metrics);

/* Sweeps now. False: it could not be done; a later sweep tries again. */
bool sessions_sweep(struct sessions *s);

/* Sweeps in a few milliseconds. */
void sessions_schedule_sweep(struct sessions *s);

/* An open session of the lease, by the last sweep; NULL: it has none. */
const struct session *sessions_find_open(const struct sessions *s, int64_t lease_id);

/* Whether the lease has an open session, by the last sweep or by the registry as it is now: a
 * session that has just opened was not swept yet. True also when that cannot be told. */
bool sessions_may_be_open(const struct sessions *s, int64_t lease_id);

#endif
