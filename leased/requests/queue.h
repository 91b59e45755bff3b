/* SPDX-License-Identifier: ISC */
/* Requests that wait for a commit, oldest first. */
#ifndef TUNLEASE_LEASED_REQUESTS_QUEUE_H
#define TUNLEASE_LEASED_REQUESTS_QUEUE_H

#include "lib/wire/control.h"

#include <stddef.h>
#include <stdint.h>

struct join_result;

struct queued {
    struct queued *next;
    int64_t since_ms;
    int64_t lease_id; /* of the agent that has proven to have sent it; 0: none, or not yet */
    struct join_result *join; /* owned: what was decided of a CONTROL_JOIN; NULL: not yet */
    char *private_key;        /* made for it, encrypted; NULL: the request has its own public key */
    struct control_request request; /* memory ends after its last text */
};

/* Copies r, which has len bytes, and keeps the time. Free it with queued_free. NULL: out of memory.
 */
struct queued *queued_make(const struct control_request *r, size_t len);

/* Copies q, with the public key in the request and private_key, which it then owns, next to it.
 * NULL: out of memory, or no room for the key. */
struct queued *queued_with_keys(const struct queued *q, const char *public_key, char *private_key);

void queued_free(struct queued *q);

struct queue {
    struct queued *head, **tail;
    size_t count;
};

void queue_init(struct queue *queue);
void queue_push(struct queue *queue, struct queued *q); /* takes ownership of q */
/* Removes the first request, or the one at a position; there must be one. The caller owns it then.
 */
struct queued *queue_pop(struct queue *queue);
struct queued *queue_remove(struct queue *queue, size_t at);

#endif
