/* SPDX-License-Identifier: ISC */
#include "leased/engine/lease_count.h"

#include "leased/watch/open_store.h"
#include "leased/watch/timer.h"
#include "lib/base/clock.h"
#include "lib/store/counts.h"
#include "lib/store/walk.h"

/*
 * Counts for about patience_ms, since requests wait meanwhile. Each scrape of /metrics starts a
 * count. Most stores are counted within the first piece; for a larger one the scrape gets the
 * result of the count before.
 */
static void count_some(struct lease_count *c, int64_t patience_ms)
{
    enum { LEASES_AT_ONCE = 2000, PAUSE_MS = 10 };
    if (c->open_store->is_lost) {
        c->is_counting = false;
        return;
    }
    const int64_t until_ms = clock_monotonic_ms() + patience_ms, now_s = clock_now_s();
    enum store_rc rc = STORE_OK;
    while (rc == STORE_OK && clock_monotonic_ms() < until_ms) {
        rc = store_range_next(c->open_store->store, LEASES_AT_ONCE, &c->at);
        if (rc == STORE_OK)
            rc = store_count_leases(c->open_store->store, &c->at, now_s, &c->counting);
    }
    if (rc == STORE_OK) {
        timer_arm(c->on_piece, PAUSE_MS);
        return;
    }
    if (rc == STORE_NONE)
        rc = store_count_rest(c->open_store->store, &c->counting);
    c->is_counting = false;
    c->is_known = rc == STORE_OK;
    c->counted = c->counting;
}

static void on_piece(evutil_socket_t fd, short what, void *arg)
{
    enum { PIECE_MS = 5 };
    (void)fd;
    (void)what;
    count_some(arg, PIECE_MS);
}

void lease_count_begin(struct lease_count *c)
{
    enum { FIRST_PIECE_MS = 10 };
    if (c->is_counting)
        return;
    c->is_counting = true;
    c->at = (struct lease_range){.after = 0};
    c->counting = (struct store_counts){.audit_rows = 0};
    count_some(c, FIRST_PIECE_MS);
}

void lease_count_stop(struct lease_count *c)
{
    c->is_counting = false;
    (void)event_del(c->on_piece);
}

int lease_count_start(struct lease_count *c, struct event_base *base,
                      const struct open_store *open_store)
{
    *c = (struct lease_count){.open_store = open_store, .on_piece = evtimer_new(base, on_piece, c)};
    return c->on_piece != NULL ? 0 : -1;
}
