/* SPDX-License-Identifier: ISC */
#include "leased/engine/batch.h"

#include "leased/engine/answers.h"
#include "leased/engine/heartbeat_flush.h"
#include "leased/requests/requests.h"
#include "leased/requests/roster.h"
#include "leased/watch/metrics.h"
#include "leased/watch/open_store.h"
#include "leased/watch/records.h"
#include "leased/watch/timer.h"
#include "leased/watch/events.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/store/connection.h"
#include "lib/store/transaction.h"

enum {
    BATCH_MIN = 32, /* fewer are committed only when fewer are queued: each commit syncs the disk */
};

static const char failed_text[] = "the store failed: try again";

static void answer_first(struct batch *b, size_t count, const char *failed)
{
    answers_send_batch(b->answers, &b->queue, count, failed);
}

/* Answers the oldest requests as failed, as many as fit one batch. */
static void answer_failed(struct batch *b, const char *failed)
{
    answer_first(b, b->queue.count < BATCH_MAX ? b->queue.count : BATCH_MAX, failed);
}

/* Answers one request of the queue as failed; those before and after it stay queued. */
static void answer_request_failed(struct batch *b, size_t at)
{
    struct control_answer a;
    struct queued *q = queue_remove(&b->queue, at);
    answers_set_unavailable(&a, failed_text);
    answers_send(b->answers, q, &a);
    queued_free(q);
}

/* Refuses requests that have waited too long for the store's lock. */
static void answer_timed_out(struct batch *b)
{
    int64_t now_ms = clock_monotonic_ms();
    size_t old = 0;
    for (const struct queued *q = b->queue.head;
         q != NULL && old < BATCH_MAX && now_ms - q->since_ms > STORE_LOCKED_GIVE_UP_MS;
         q = q->next)
        old++;
    if (old > 0)
        answer_first(b, old, "the store is locked by another program: try again");
}

/* Refuses all requests. Records stay queued, as long as there is room. */
static void answer_store_lost(struct batch *b)
{
    while (b->queue.count > 0)
        answer_failed(b, "the store is missing or was replaced: try again");
}

/* How many requests to commit together: at most half of the queue, so that http is busy with these
 * answers while the others are decided. */
static size_t max_at_once(const struct batch *b)
{
    size_t max = (b->queue.count + 1) / 2;
    return max < BATCH_MIN ? BATCH_MIN : max > BATCH_MAX ? BATCH_MAX : max;
}

/* Decides up to max requests and stops at the first that fails; *ret_count includes that one. */
static enum store_rc decide(struct batch *b, size_t max, size_t *ret_count)
{
    enum store_rc rc = STORE_OK;
    size_t count = 0;
    int64_t now_ms = clock_now_ms();
    for (struct queued *q = b->queue.head; rc == STORE_OK && q != NULL && count < max;
         q = q->next, count++)
        rc = requests_decide(b->requests, q, now_ms, answers_slot(b->answers, count));
    *ret_count = count;
    return rc;
}

/* What is tried in one transaction. */
struct attempt {
    size_t count;                      /* requests decided, including one that failed */
    bool flushes;                      /* pending heartbeats are flushed as well */
    bool request_failed, flush_failed; /* this failed, and the store works without it */
};

/* Writes records, decides requests, flushes heartbeats. */
static enum store_rc fill(struct batch *b, size_t max, struct attempt *a)
{
    struct store *st = b->open_store->store;
    enum store_rc rc = roster_refresh(b->roster, st);
    if (rc == STORE_OK && b->records->count > 0)
        rc = records_write(b->records, st);
    if (rc == STORE_OK)
        rc = decide(b, max, &a->count);
    /* If only one request cannot be written, the others are tried again without it. */
    a->request_failed = rc != STORE_OK && a->count > 0 && store_transaction_is_open(st);
    if (rc == STORE_OK && a->flushes) {
        rc = heartbeat_flush_some(b->heartbeat_flush, a->count);
        a->flush_failed = rc != STORE_OK && store_transaction_is_open(st);
    }
    return rc;
}

static void roll_back(struct batch *b, const struct attempt *a)
{
    heartbeat_flush_rolled_back(b->heartbeat_flush, a->flushes);
    requests_rolled_back(b->requests);
    roster_invalidate(b->roster);
    metrics_add_store_error(b->metrics);
    log_event(&event_store_unusable, NULL, "the store failed: %s",
              store_error(b->open_store->store));
    if (a->request_failed)
        answer_request_failed(b, a->count - 1);
    else if (!a->flush_failed) /* otherwise they are tried again without the flush */
        answer_failed(b, failed_text);
    (void)open_store_check(b->open_store);
    if (b->records->count > 0)
        records_flush_in(b->records, 1000);
}

static void commit(struct batch *b)
{
    struct store *st = b->open_store->store;
    struct attempt a = {.count = 0};
    const size_t records = b->records->count; /* deciding a request may add another */
    const size_t max = max_at_once(b);
    if (b->queue.head == NULL && records == 0)
        return;
    if (b->open_store->is_lost) {
        answer_store_lost(b);
        return;
    }
    requests_begin(b->requests);
    a.flushes = heartbeat_flush_is_due(b->heartbeat_flush);
    enum store_rc rc = store_begin(st);
    if (rc == STORE_BUSY) {
        answer_timed_out(b);
        timer_arm(b->on_retry, STORE_LOCKED_RETRY_MS);
        return;
    }
    if (rc == STORE_OK)
        rc = fill(b, max, &a);
    if (rc == STORE_OK)
        rc = store_commit(st);
    store_rollback(st);
    if (rc == STORE_OK) {
        heartbeat_flush_committed(b->heartbeat_flush);
        records_drop_first(b->records, records);
        answer_first(b, a.count, NULL);
    } else {
        roll_back(b, &a);
    }
    if (b->queue.head != NULL)
        timer_arm(b->on_retry, 0);
    heartbeat_flush_arm(b->heartbeat_flush, rc != STORE_OK);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    commit(arg);
}

void batch_on_flush(int fd, short what, void *arg)
{
    on_retry(fd, what, arg);
}

bool batch_has_room(const struct batch *b, uint32_t action)
{
    return b->queue.count < QUEUE_MAX + (action == CONTROL_JOIN ? QUEUE_JOINING_MAX : 0);
}

void batch_add(struct batch *b, struct queued *q)
{
    queue_push(&b->queue, q);
}

void batch_commit(struct batch *b)
{
    if (!timer_is_armed(b->on_retry))
        commit(b);
}

void batch_commit_soon(struct batch *b)
{
    timer_arm(b->on_retry, 0);
}

void batch_cancel_retry(struct batch *b)
{
    (void)event_del(b->on_retry);
}

void batch_finish(struct batch *b)
{
    for (size_t before = SIZE_MAX; b->queue.count < before && b->queue.count > 0;) {
        before = b->queue.count;
        commit(b);
    }
    while (b->queue.count > 0) /* the store is locked */
        answer_failed(b, "the gateway is stopping: try again");
    if (b->records->count > 0)
        commit(b);
}

int batch_start(struct batch *b, struct event_base *base)
{
    queue_init(&b->queue);
    b->on_retry = evtimer_new(base, on_retry, b);
    return b->on_retry != NULL ? 0 : -1;
}
