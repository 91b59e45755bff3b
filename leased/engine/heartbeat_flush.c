/* SPDX-License-Identifier: ISC */
#include "leased/engine/heartbeat_flush.h"

#include "leased/watch/metrics.h"
#include "leased/watch/open_store.h"
#include "leased/watch/timer.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/store/connection.h"
#include "lib/store/transaction.h"

#include <poll.h>

enum {
    ROWS_PER_REQUEST = 4, /* more rows than a request adds, so that the flush gets to its end, */
    ROWS_MIN = 64,        /* and enough rows to share pages */
    RETRY_MS = 1000,
};

/* A timer may fire a little before beats_begin_due says that the flush is due, and is then set
 * again here. */
void heartbeat_flush_arm(struct heartbeat_flush *f, bool failed)
{
    int64_t wait_ms = beats_due_in_ms(&f->beats, clock_monotonic_ms());
    if (f->own_transaction_only && timer_is_armed(f->on_due))
        return; /* otherwise each commit would put it off */
    if (wait_ms >= 0)
        timer_arm(f->on_due, wait_ms > 0 && failed ? RETRY_MS : wait_ms);
}

/* Its own transaction: a lease that cannot be written must not keep requests from being answered.
 */
static enum store_rc flush_in_own_transaction(struct heartbeat_flush *f)
{
    if (!open_store_check(f->open_store))
        return STORE_FAIL;
    struct store *st = f->open_store->store;
    enum store_rc rc = store_begin(st);
    if (rc == STORE_BUSY)
        return rc;
    if (rc == STORE_OK)
        rc = beats_flush(&f->beats, st, BEATS_FLUSH_ROWS, true, clock_monotonic_ms());
    if (rc == STORE_OK)
        rc = store_commit(st);
    store_rollback(st);
    if (rc == STORE_OK) {
        beats_committed(&f->beats);
        /* With requests again after a whole list was flushed without failures. */
        if (f->beats.flushing == NULL)
            f->own_transaction_only = f->beats.put_back > 0;
    } else {
        f->own_transaction_only = true;
        beats_rolled_back(&f->beats);
        metrics_add_store_error(f->metrics);
        log_error("cannot write heartbeats into their leases: %s; they stay pending",
                  store_error(st));
    }
    return rc;
}

static void on_due(evutil_socket_t fd, short what, void *arg)
{
    struct heartbeat_flush *f = arg;
    (void)fd;
    (void)what;
    bool failed =
        beats_begin_due(&f->beats, clock_monotonic_ms()) && flush_in_own_transaction(f) != STORE_OK;
    heartbeat_flush_arm(f, failed);
}

void heartbeat_flush_all(struct heartbeat_flush *f)
{
    const int64_t until_ms = clock_monotonic_ms() + STORE_LOCKED_GIVE_UP_MS;
    enum store_rc rc = STORE_OK;
    while (beats_are_behind(&f->beats) && clock_monotonic_ms() < until_ms) {
        (void)beats_begin_due(&f->beats, INT64_MAX / 2); /* also those that are not due yet */
        rc = flush_in_own_transaction(f);
        if (rc == STORE_BUSY)
            (void)poll(NULL, 0, STORE_LOCKED_RETRY_MS);
        else if (rc != STORE_OK)
            return;
    }
}

bool heartbeat_flush_is_due(struct heartbeat_flush *f)
{
    return !f->own_transaction_only && beats_begin_due(&f->beats, clock_monotonic_ms());
}

enum store_rc heartbeat_flush_some(struct heartbeat_flush *f, size_t requests)
{
    return beats_flush(&f->beats, f->open_store->store, ROWS_MIN + ROWS_PER_REQUEST * requests,
                       false, clock_monotonic_ms());
}

void heartbeat_flush_committed(struct heartbeat_flush *f)
{
    beats_committed(&f->beats);
}

void heartbeat_flush_rolled_back(struct heartbeat_flush *f, bool with_some)
{
    beats_rolled_back(&f->beats);
    f->own_transaction_only = f->own_transaction_only || with_some;
}

enum store_rc heartbeat_flush_load(struct heartbeat_flush *f, struct open_store *open_store,
                                   struct metrics *metrics)
{
    *f = (struct heartbeat_flush){.open_store = open_store, .metrics = metrics};
    return beats_load(&f->beats, open_store->store);
}

int heartbeat_flush_start(struct heartbeat_flush *f, struct event_base *base)
{
    f->on_due = evtimer_new(base, on_due, f);
    return f->on_due != NULL ? 0 : -1;
}

void heartbeat_flush_begin(struct heartbeat_flush *f)
{
    if (beats_due_in_ms(&f->beats, clock_monotonic_ms()) >= 0)
        timer_arm(f->on_due, 0);
}

enum store_rc heartbeat_flush_reload(struct heartbeat_flush *f)
{
    f->own_transaction_only = false;
    beats_release(&f->beats);
    return beats_load(&f->beats, f->open_store->store);
}

void heartbeat_flush_release(struct heartbeat_flush *f)
{
    beats_release(&f->beats);
}
