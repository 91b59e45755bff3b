/* SPDX-License-Identifier: ISC */
#include "leased/engine/settling.h"

#include "leased/watch/metrics.h"
#include "leased/watch/open_store.h"
#include "leased/watch/timer.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/store/connection.h"
#include "lib/store/transaction.h"

#include <poll.h>

enum {
    SETTLES_A_REQUEST = 4, /* more than a request adds, so that it comes to an end, */
    SETTLES_LEAST = 64,    /* and not so few that each needs a page of its own */
    SETTLE_AGAIN_MS = 1000,
    LOCKED_RETRY_MS = 20,
    LOCKED_GIVE_UP_MS = 5000,
};

/* A timer fires a little before the clock that beats_due is told says so, and has to be set again
 * then. */
void settling_await(struct settling *s, bool failed)
{
    int64_t wait_ms = beats_wait_ms(&s->beats, clock_monotonic_ms());
    if (s->is_alone && timer_is_armed(s->on_due))
        return; /* or commit after commit would put it off */
    if (wait_ms >= 0)
        timer_arm(s->on_due, wait_ms > 0 && failed ? SETTLE_AGAIN_MS : wait_ms);
}

/* A lease that cannot be written must not keep all others from being answered. */
static enum store_rc settle_alone(struct settling *s)
{
    if (!open_store_check(s->open_store))
        return STORE_FAIL;
    struct store *st = s->open_store->store;
    enum store_rc rc = store_begin(st);
    if (rc == STORE_BUSY)
        return rc;
    if (rc == STORE_OK)
        rc = beats_settle(&s->beats, st, BEATS_STEP, true, clock_monotonic_ms());
    if (rc == STORE_OK)
        rc = store_commit(st);
    store_rollback(st);
    if (rc == STORE_OK) {
        beats_committed(&s->beats);
        /* With requests again once a whole list went through. */
        if (s->beats.settling == NULL)
            s->is_alone = s->beats.put_back > 0;
    } else {
        s->is_alone = true;
        beats_undone(&s->beats);
        metrics_add_store_error(s->metrics);
        log_error("heartbeats cannot be put into their leases: %s", store_error(st));
    }
    return rc;
}

static void on_due(evutil_socket_t fd, short what, void *arg)
{
    struct settling *s = arg;
    (void)fd;
    (void)what;
    bool failed = beats_due(&s->beats, clock_monotonic_ms()) && settle_alone(s) != STORE_OK;
    settling_await(s, failed);
}

void settling_finish(struct settling *s)
{
    const int64_t until_ms = clock_monotonic_ms() + LOCKED_GIVE_UP_MS;
    enum store_rc rc = STORE_OK;
    while (beats_are_behind(&s->beats) && clock_monotonic_ms() < until_ms) {
        (void)beats_due(&s->beats, INT64_MAX / 2); /* however short they have waited */
        rc = settle_alone(s);
        if (rc == STORE_BUSY)
            (void)poll(NULL, 0, LOCKED_RETRY_MS);
        else if (rc != STORE_OK)
            return;
    }
}

bool settling_is_due(struct settling *s)
{
    return !s->is_alone && beats_due(&s->beats, clock_monotonic_ms());
}

enum store_rc settling_do_some(struct settling *s, size_t requests)
{
    return beats_settle(&s->beats, s->open_store->store,
                        SETTLES_LEAST + SETTLES_A_REQUEST * requests, false, clock_monotonic_ms());
}

void settling_committed(struct settling *s)
{
    beats_committed(&s->beats);
}

void settling_undone(struct settling *s, bool with_some)
{
    beats_undone(&s->beats);
    s->is_alone = s->is_alone || with_some;
}

enum store_rc settling_open(struct settling *s, struct open_store *open_store,
                            struct metrics *metrics)
{
    *s = (struct settling){.open_store = open_store, .metrics = metrics};
    return beats_start(&s->beats, open_store->store);
}

int settling_start(struct settling *s, struct event_base *base)
{
    s->on_due = evtimer_new(base, on_due, s);
    return s->on_due != NULL ? 0 : -1;
}

void settling_begin(struct settling *s)
{
    if (beats_wait_ms(&s->beats, clock_monotonic_ms()) >= 0)
        timer_arm(s->on_due, 0);
}

enum store_rc settling_use_new(struct settling *s)
{
    s->is_alone = false;
    beats_release(&s->beats);
    return beats_start(&s->beats, s->open_store->store);
}

void settling_release(struct settling *s)
{
    beats_release(&s->beats);
}
