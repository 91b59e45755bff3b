/* SPDX-License-Identifier: ISC */
#include "leased/requests/queue.h"

#include "leased/requests/join_result.h"
#include "lib/base/clock.h"

#include <stdlib.h>
#include <string.h>

struct queued *queued_make(const struct control_request *r, size_t len)
{
    struct queued *q = malloc(offsetof(struct queued, request) + len);
    if (q == NULL)
        return NULL;
    q->next = NULL;
    q->private_key = NULL;
    q->join = NULL;
    q->lease_id = 0;
    q->since_ms = clock_monotonic_ms();
    memcpy(&q->request, r, len);
    return q;
}

struct queued *queued_with_keys(const struct queued *q, const char *public_key, char *private_key)
{
    struct queued *keyed = calloc(1, sizeof(*keyed));
    if (keyed == NULL)
        return NULL;
    memcpy(keyed, q, offsetof(struct queued, request) + control_request_bytes(&q->request));
    if (control_request_set(&keyed->request, CONTROL_PUBLIC_KEY, public_key, strlen(public_key)) !=
        0) {
        free(keyed);
        return NULL;
    }
    keyed->private_key = private_key;
    return keyed;
}

void queued_free(struct queued *q)
{
    if (q->private_key != NULL)
        explicit_bzero(q->private_key, strlen(q->private_key));
    free(q->private_key);
    join_result_free(q->join);
    free(q);
}

void queue_init(struct queue *queue)
{
    *queue = (struct queue){.tail = &queue->head};
}

void queue_push(struct queue *queue, struct queued *q)
{
    *queue->tail = q;
    queue->tail = &q->next;
    queue->count++;
}

struct queued *queue_pop(struct queue *queue)
{
    return queue_remove(queue, 0);
}

struct queued *queue_remove(struct queue *queue, size_t at)
{
    struct queued **link = &queue->head;
    for (; at > 0; at--)
        link = &(*link)->next;
    struct queued *q = *link;
    *link = q->next;
    if (*link == NULL)
        queue->tail = link;
    queue->count--;
    return q;
}
