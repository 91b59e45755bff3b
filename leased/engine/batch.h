/* SPDX-License-Identifier: ISC */
/*
 * The group commit: requests that arrive in one turn of the loop are decided in one transaction,
 * committed together, and answered after the commit. While the store is locked they stay queued.
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

enum {
    QUEUE_MAX = 4096,      /* requests that may be queued */
    QUEUE_JOINING_MAX = 64 /* and so many more that join: agents cannot crowd them out */
};

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

/* The lent members must be set. Returns 0, or -1: out of memory. */
int batch_start(struct batch *b, struct event_base *base);

/* action: enum control_action, of the request that is to be added. */
bool batch_has_room(const struct batch *b, uint32_t action);
void batch_add(struct batch *b, struct queued *q); /* takes ownership of q */

/* Commits what is queued, unless a retry is scheduled. */
void batch_commit(struct batch *b);
void batch_commit_soon(struct batch *b);

/* A callback of libevent; arg is a struct batch. Commits records. */
void batch_on_flush(int fd, short what, void *arg);

/* For the end of leased. batch_cancel_retry cancels a scheduled retry, so that the next
 * batch_commit commits at once. batch_finish answers every request that is still queued: it
 * commits what the store lets it, and refuses the rest. */
void batch_cancel_retry(struct batch *b);
void batch_finish(struct batch *b);

#endif
