/* SPDX-License-Identifier: ISC */
/*
 * Whether another process changed the store: then sessions are judged anew. inotify says that
 * something happened to its files, and its version whether it was a commit.
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
    int64_t version; /* of the store, as last seen */
    unsigned checks; /* since the last sign */
    struct event *on_inotify, *on_check, *on_regular;
};

/* 0, or -1: no memory. */
int store_watch_start(struct store_watch *w, struct event_base *base, struct open_store *open_store,
                      struct sessions *sessions, struct metrics *metrics);

/* Another store is open than before: it is watched, and sessions are judged by it. */
void store_watch_reopened(struct store_watch *w);

#endif
