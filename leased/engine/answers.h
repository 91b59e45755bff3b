/* SPDX-License-Identifier: ISC */
/* Sends answers to the http process; counts and logs them. */
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

enum { BATCH_MAX = 256 /* requests of one commit: their answers fit into the socket to http */ };

struct answers {
    /* Lent. */
    const struct http_child *http;
    const struct sessions *sessions;
    struct metrics *metrics;
    bool verbose; /* log each heartbeat */

    struct refusals refusals;
    bool http_hangs;                /* it did not read the answers of this batch in time */
    struct control_answer *decided; /* BATCH_MAX slots of decided_bytes: answers without report */
    size_t decided_bytes;
};

/* The members above are filled in. 0, or -1: no memory. */
int answers_start(struct answers *as);

/* The zeroed slot for the answer to request number at (below BATCH_MAX) of the batch. */
struct control_answer *answers_slot(struct answers *as, size_t at);

/* Answers the first count requests of the queue with their slots, and removes them from the queue.
 * With failed not NULL: answers all as unavailable, with that text. */
void answers_send_batch(struct answers *as, struct queue *queue, size_t count, const char *failed);

/* Answers one request that is not in a batch; the caller keeps q. */
void answers_send(struct answers *as, const struct queued *q, struct control_answer *a);

/* Sets *a to "unavailable" with the text why. */
void answers_set_unavailable(struct control_answer *a, const char *why);

/* Sends a packet if the socket has room, without counting it. Or else false. */
bool answers_try_send(const struct answers *as, const struct control_answer *a);
void answers_count(struct answers *as, uint32_t action, enum control_code code);

/* Sends an answer with a report, and counts it. A refusal is logged by answers_log_refusal. */
void answers_send_report(struct answers *as, const struct control_answer *a);
void answers_log_refusal(struct answers *as, const struct control_request *r,
                         const struct control_answer *a);

/* Logs and counts what http refused by itself. */
void answers_log_http_refusals(struct answers *as, const struct control_request *r);

#endif
