/* SPDX-License-Identifier: ISC */
/*
 * Notices that another process has changed the store, and starts a sweep. inotify says that
 * something happened to the store's files; the store's version says whether it was a commit.
 */
#ifndef TUNLEASE_LEASED_WATCH_STORE_WATCH_H
#define TUNLEASE_LEASED_WATCH_STORE_WATCH_H

#include <stdint.h>

struct event;
struct event_base;
struct metrics;
struct open_store;
struct sessions;

struct store_watch {
    struct open_store *open_store;
    struct sessions *sessions;
    struct metrics *metrics;
    struct event_base *base;
    int64_t version; /* of the store, when it was last checked */
    int64_t generation;
    unsigned checks; /* since the last inotify event */
    struct event *on_inotify, *on_check, *on_regular;
};

/* Returns 0, or -1: out of memory. */
int store_watch_start(struct store_watch *w, struct event_base *base, struct open_store *open_store,
                      struct sessions *sessions, struct metrics *metrics);

/* Another store was opened: watches its directory, and sweeps. */
void store_watch_reopened(struct store_watch *w);

#endif
