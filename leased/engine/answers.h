/* SPDX-License-Identifier: ISC */
/* Answers to the http process, with their numbers and their lines in the log. */
#ifndef TUNLEASE_LEASED_ENGINE_ANSWERS_H
#define TUNLEASE_LEASED_ENGINE_ANSWERS_H

#include "leased/engine/refusals.h"
#include "leased/requests/queue.h"
#include "lib/wire/control.h"

#include <stdbool.h>
#include <stddef.h>

struct http_child;
struct metrics;
struct sessions;

enum { BATCH_MAX = 256 /* requests of one commit: their answers fit the socket to http */ };

struct answers {
    /* Lent. */
    const struct http_child *http;
    const struct sessions *sessions;
    struct metrics *metrics;
    bool verbose; /* a line for each heartbeat */

    struct refusals refusals;
    bool http_hangs;                /* it took no more answers of this batch */
    struct control_answer *decided; /* BATCH_MAX of decided_bytes each: up to the report */
    size_t decided_bytes;
};

/* The members above are filled in. 0, or -1: no memory. */
int answers_start(struct answers *as);

/* Where the answer to a batch's request number at (below BATCH_MAX) is written: all zero. */
struct control_answer *answers_slot(struct answers *as, size_t at);

/* Answers the first count of the queue as was decided, and takes them out; or, failed not being
 * NULL, all as unavailable with that text. */
void answers_send_batch(struct answers *as, struct queue *queue, size_t count, const char *failed);

/* Answers one request that is in no batch; it stays the caller's. */
void answers_send(struct answers *as, const struct queued *q, struct control_answer *a);

/* a is unavailable, for people: why. */
void answers_set_unavailable(struct control_answer *a, const char *why);

/* A report as it is; its refusal was noted before. */
void answers_send_report(struct answers *as, const struct control_answer *a);
void answers_log_refusal(struct answers *as, const struct control_request *r,
                         const struct control_answer *a);

/* What http answered itself, to requests that were none. */
void answers_log_http_refusals(struct answers *as, const struct control_request *r);

#endif
