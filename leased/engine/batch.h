/* SPDX-License-Identifier: ISC */
/*
 * The group commit: requests of one turn of the loop are decided in one transaction, committed
 * together, and answered after the commit. A locked store leaves them queued.
 */
#ifndef TUNLEASE_LEASED_ENGINE_BATCH_H
#define TUNLEASE_LEASED_ENGINE_BATCH_H

#include "leased/requests/queue.h"

#include <stdbool.h>

struct answers;
struct event;
struct event_base;
struct metrics;
struct open_store;
struct records;
struct requests;
struct roster;
struct heartbeat_flush;

enum { QUEUE_MAX = 4096 /* that wait for the store's lock */ };

struct batch {
    /* Lent. */
    struct open_store *open_store;
    struct roster *roster;
    struct records *records;
    struct requests *requests;
    struct heartbeat_flush *heartbeat_flush;
    struct answers *answers;
    struct metrics *metrics;

    struct queue queue;
    struct event *on_retry;
};

/* The members above are filled in. 0, or -1: no memory. */
int batch_start(struct batch *b, struct event_base *base);

bool batch_has_room(const struct batch *b);
void batch_add(struct batch *b, struct queued *q); /* owned by it then */

/* Commits what is there, unless that waits for its time. */
void batch_commit(struct batch *b);
void batch_commit_soon(struct batch *b);

/* A callback of libevent with a struct batch: events are to be written down. */
void batch_on_flush(int fd, short what, void *arg);

/* leased stops. What waits for its time is committed with the next batch_commit; and what was asked
 * is answered, once. */
void batch_cancel_retry(struct batch *b);
void batch_finish(struct batch *b);

#endif
