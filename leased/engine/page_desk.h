/* SPDX-License-Identifier: ISC */
/*
 * The requests that come in on MetricsListen wait here for their turn. A turn makes one overview
 * (leased/status/overview.h) and gives it to all who asked for the same. After a turn there is a
 * pause of twenty times as long as it took: whoever asks how often, it costs some 5 % of a
 * processor at most, and no register or heartbeat waits longer than one turn. Before anything, a
 * turn looks at all new connections, who they are: a tunnel login is refused.
 */
#ifndef TUNLEASE_LEASED_ENGINE_PAGE_DESK_H
#define TUNLEASE_LEASED_ENGINE_PAGE_DESK_H

#include "leased/engine/long_reports.h"
#include "leased/requests/queue.h"
#include "lib/base/buf.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct answers;
struct event;
struct event_base;
struct local_peers;
struct overview;

enum { DESK_WAITING_MAX = 128 };

struct page_desk {
    /* Lent. */
    struct overview *overview;
    struct answers *answers;
    struct local_peers *peers;
    const struct http_child *http;
    /* Answers a request that is no overview, once its sender may have it. */
    void (*answer)(void *arg, const struct control_request *r);
    void *arg;

    struct queue waiting;
    pid_t asked_by; /* the http process that wants them */
    struct long_reports reports;
    struct buf text;
    int64_t next_ms; /* the next turn is not before */
    struct event *on_turn;
};

/* The lent members must be set. Returns 0, or -1: out of memory. */
int page_desk_start(struct page_desk *d, struct event_base *base);

/* Takes a request of len bytes, which is copied. */
void page_desk_add(struct page_desk *d, const struct control_request *r, size_t len);

#endif
