/* SPDX-License-Identifier: ISC */
#include "leased/engine/walk.h"

#include "leased/requests/beats.h"
#include "leased/requests/control_port.h"
#include "leased/requests/requests.h"
#include "leased/requests/roster.h"
#include "leased/watch/clock_jumps.h"
#include "leased/watch/metrics.h"
#include "leased/watch/open_store.h"
#include "leased/watch/records.h"
#include "leased/watch/sessions.h"
#include "leased/watch/timer.h"
#include "leased/watch/events.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/conf/conf.h"
#include "lib/store/audit.h"
#include "lib/store/connection.h"
#include "lib/store/invites.h"
#include "lib/store/probes.h"
#include "lib/store/prune.h"
#include "lib/store/transaction.h"
#include "lib/store/walk.h"

enum {
    UNUSED_AGENT_S = 3600,
    SOON_S = 48 * 3600,
    WALK_INTERVAL_MS = 600000, /* from the start of one walk to that of the next */
    WALK_START_MS = 1000,
    PIECE_LEASES = 250, /* leases in the first piece */
    PIECE_LEASES_MIN = 50,
    PIECE_LEASES_MAX = 1000,
    PIECE_PORTS = 4096,    /* ports in a piece, after all leases */
    EXPIRED_PORT_S = 3600, /* from the end of a lease to the quarantine of its port */
    PIECE_MS = 10,         /* the size of a piece is adjusted to take about so long */
    PAUSE_MS = 5,          /* after a piece: a pause as long as it took, at least this */
};

static int log_expires_soon(void *arg, int64_t id, const char *name, int64_t expires_s)
{
    (void)arg;
    log_event(&event_expires_soon, LOG_FIELDS({"LEASE_NAME", name}),
              "expires_soon lease=%s id=%lld expires_s=%lld", name, (long long)id,
              (long long)expires_s);
    return 0;
}

/* An hour after a lease's end its port goes into quarantine. A lease may be behind what its agent
 * was told, but not by an hour. */
static enum store_rc free_expired(struct walk *w, int64_t now_s)
{
    const unsigned low = w->next_port, high = low + PIECE_PORTS - 1;
    if (low > UINT16_MAX || beats_are_behind(w->beats))
        return STORE_OK;
    w->next_port = high + 1;
    return store_ports_free_expired(w->open_store->store, (uint16_t)low,
                                    high < UINT16_MAX ? (uint16_t)high : UINT16_MAX,
                                    now_s - EXPIRED_PORT_S, now_s);
}

/* Those of a leasectl verify that was killed. */
static enum store_rc delete_abandoned_probes(struct walk *w, const struct store_actor *by)
{
    int64_t ids[PROBES_AT_ONCE];
    size_t count;
    enum store_rc rc = store_probes_abandoned(w->open_store->store, by->now_s, ids, &count);
    return rc == STORE_OK ? store_probes_delete(w->open_store->store, ids, count, by) : rc;
}

static enum store_rc prune_piece(struct walk *w, bool has_range, int64_t *ret_leases,
                                 int64_t *ret_rows)
{
    int64_t now_s = clock_now_s(), unused_before_s = now_s - UNUSED_AGENT_S;
    const struct store_actor by = {.who = "leased", .source = "", .now_s = now_s};
    const struct lease_range *at = &w->at;
    enum store_rc rc = STORE_NONE;
    if (has_range)
        rc = store_agents_unused(w->open_store->store, at, unused_before_s);
    if (rc == STORE_OK) { /* sweep now: an agent that has just opened a session is not unused */
        bool swept = sessions_sweep(w->sessions);
        rc = records_write(w->records, w->open_store->store);
        if (rc == STORE_OK && swept) /* otherwise nobody can tell which agents never logged in */
            rc = store_agents_delete_unused(w->open_store->store, at, unused_before_s, &by);
    } else if (rc == STORE_NONE) {
        rc = records_write(w->records, w->open_store->store);
    }
    if (rc == STORE_OK && has_range)
        rc = store_prune_dead(w->open_store->store, at, now_s - w->conf->keep_expired_s, &by,
                              ret_leases);
    if (rc == STORE_OK && has_range)
        rc = control_port_update_range(w->control_port, at, &by);
    if (rc == STORE_OK && !has_range)
        rc = free_expired(w, now_s);
    if (rc == STORE_OK && !has_range)
        rc = delete_abandoned_probes(w, &by);
    if (rc == STORE_OK && !has_range)
        rc = store_invite_prune(w->open_store->store, &by);
    if (rc == STORE_OK)
        rc = audit_prune(w->open_store->store, &by, now_s - w->conf->audit_keep_s, w->piece_leases,
                         ret_rows);
    if (rc == STORE_OK)
        rc = store_commit(w->open_store->store);
    /* The ports of deleted leases are in quarantine from now on. */
    requests_ports_quarantined(w->requests);
    if (rc == STORE_OK)
        records_drop_first(w->records, w->records->count);
    return rc;
}

/* Does one piece. True: there is more to do. */
static bool walk_piece(struct walk *w)
{
    const int64_t since_ms = clock_monotonic_ms();
    int64_t leases = 0, rows = 0;
    if (!open_store_check(w->open_store)) {
        /* The next walk logs these ends again, rather than never. */
        w->expiry_to_s = w->expiry_from_s;
        return false;
    }
    const bool may_delete = !clock_jumps_are_recent(w->clock_jumps);
    const int64_t changed = store_rows_changed(w->open_store->store);
    enum store_rc rc = may_delete ? store_begin(w->open_store->store) : STORE_OK;
    if (rc == STORE_BUSY)
        return true; /* try the same piece again */
    if (rc == STORE_OK && !w->leases_done)
        rc = store_range_next(w->open_store->store, w->piece_leases, &w->at);
    if (rc == STORE_NONE)
        w->leases_done = true;
    if (rc == STORE_OK && !w->leases_done)
        rc = store_leases_ending(w->open_store->store, &w->at, w->expiry_from_s, w->expiry_to_s,
                                 log_expires_soon, NULL);
    if (may_delete && (rc == STORE_OK || rc == STORE_NONE))
        rc = prune_piece(w, !w->leases_done, &leases, &rows);
    store_rollback(w->open_store->store);
    if (store_rows_changed(w->open_store->store) != changed)
        roster_invalidate(w->roster);
    if (rc != STORE_OK && rc != STORE_NONE) {
        metrics_add_store_error(w->metrics);
        log_error("cannot prune: %s", store_error(w->open_store->store));
        /* The next walk logs these ends again, rather than never. */
        w->expiry_to_s = w->expiry_from_s;
        return false;
    }
    int64_t took_ms = clock_monotonic_ms() - since_ms;
    if (took_ms > 2 * PIECE_MS && w->piece_leases / 2 >= PIECE_LEASES_MIN)
        w->piece_leases /= 2;
    else if (took_ms < PIECE_MS / 2 && leases + rows > 0 && w->piece_leases * 2 <= PIECE_LEASES_MAX)
        w->piece_leases *= 2;
    return !w->leases_done || rows > 0 ||
           (may_delete && w->next_port > 0 && w->next_port <= UINT16_MAX);
}

static void on_piece(evutil_socket_t fd, short what, void *arg)
{
    struct walk *w = arg;
    const int64_t since_ms = clock_monotonic_ms();
    (void)fd;
    (void)what;
    w->is_running = walk_piece(w);
    int64_t took_ms = clock_monotonic_ms() - since_ms;
    if (w->is_running)
        timer_arm(w->on_piece, took_ms > PAUSE_MS ? took_ms : PAUSE_MS);
}

static void on_start(evutil_socket_t fd, short what, void *arg)
{
    struct walk *w = arg;
    const int64_t soon_s = clock_now_s() + SOON_S;
    (void)fd;
    (void)what;
    timer_arm(w->on_start, WALK_INTERVAL_MS);
    if (w->is_running)
        return;
    w->is_running = true;
    w->leases_done = false;
    w->next_port = 0;
    w->at = (struct lease_range){.after = 0};
    w->piece_leases = w->piece_leases != 0 ? w->piece_leases : PIECE_LEASES;
    /* What ends within SOON_S when leased starts was logged by the leased before. */
    w->expiry_from_s = w->expiry_to_s != 0 ? w->expiry_to_s : soon_s;
    w->expiry_to_s = soon_s;
    timer_arm(w->on_piece, 0);
}

int walk_start(struct walk *w, struct event_base *base)
{
    w->on_piece = evtimer_new(base, on_piece, w);
    w->on_start = evtimer_new(base, on_start, w);
    return w->on_piece != NULL && w->on_start != NULL ? 0 : -1;
}

void walk_begin(struct walk *w)
{
    timer_arm(w->on_start, WALK_START_MS);
}

void walk_stop(struct walk *w)
{
    w->is_running = false;
    (void)event_del(w->on_piece);
}
