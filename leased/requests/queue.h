/* SPDX-License-Identifier: ISC */
/* Requests that wait for a commit, in the order in which they came. */
#ifndef TUNLEASE_LEASED_REQUESTS_QUEUE_H
#define TUNLEASE_LEASED_REQUESTS_QUEUE_H

#include "lib/wire/control.h"

#include <stddef.h>
#include <stdint.h>

struct queued {
    struct queued *next;
    int64_t since_ms;
    int64_t lease_id;  /* of the agent that it has proven to come from; 0: nobody's, as yet */
    char *private_key; /* made for it, encrypted; NULL: it brought its own public key */
    struct control_request request; /* allocated up to its last text */
};

/* A copy of r, which has len bytes, as of now; to be freed with queued_free. NULL: no memory. */
struct queued *queued_make(const struct control_request *r, size_t len);

/* The same request with the public key in it, and the private one, which is its own then, beside
 * it. NULL: no memory, or no room for the key. */
struct queued *queued_with_keys(const struct queued *q, const char *public_key, char *private_key);

void queued_free(struct queued *q);

struct queue {
    struct queued *head, **tail;
    size_t count;
};

void queue_init(struct queue *queue);
void queue_push(struct queue *queue, struct queued *q); /* owned by the queue then */
/* Takes out the first, or the one at that place; there is one. The caller frees it. */
struct queued *queue_pop(struct queue *queue);
struct queued *queue_remove(struct queue *queue, size_t at);

#endif
