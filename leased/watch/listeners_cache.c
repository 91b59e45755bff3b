/* SPDX-License-Identifier: ISC */
#include "leased/watch/listeners_cache.h"

#include "leased/watch/timer.h"
#include "leased/watch/events.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <time.h>

enum { PAUSE_MS = 2, PIECE_US = 1000, QUICK_MS = 20, COST = 30 };

static int64_t now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void stop_scan(struct listeners_cache *l)
{
    listeners_scan_end(&l->scan);
    (void)event_del(l->on_piece);
    l->is_scanning = false;
}

static void note_unreadable(struct listeners_cache *l)
{
    if (!l->is_unreadable)
        log_event(&event_sight_lost, NULL,
                  "cannot read what listens, in '/proc/%s/net/tcp': %m; no new agent gets a port "
                  "until it can be read",
                  l->foreign_network ? "1" : "self");
    l->is_unreadable = true;
    stop_scan(l);
}

static void use_scan(struct listeners_cache *l)
{
    if (l->is_unreadable)
        log_info("what listens can be read again");
    l->is_unreadable = false;
    stop_scan(l);
    l->found = l->scan.found;
    l->read_ms = l->scan_since_ms;
    l->took_ms = l->scan_us / 1000;
}

/* Goes on with the scan, for limit_us or to its end. */
static void continue_scan(struct listeners_cache *l, int64_t limit_us)
{
    const int64_t since_us = now_us();
    int more = 1;
    while (more == 1 && now_us() - since_us < limit_us)
        more = listeners_scan_next(&l->scan);
    l->scan_us += now_us() - since_us;
    if (more == 1)
        timer_arm(l->on_piece, PAUSE_MS);
    else if (more == 0)
        use_scan(l);
    else
        note_unreadable(l);
}

static void on_piece(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    continue_scan(arg, PIECE_US);
}

static void begin_scan(struct listeners_cache *l, int64_t limit_us)
{
    l->scan_since_ms = clock_monotonic_ms();
    l->scan_us = 0;
    l->is_scanning = true;
    if (listeners_scan_begin(&l->scan, l->foreign_network ? 1 : 0) == 0)
        continue_scan(l, limit_us);
    else
        note_unreadable(l);
}

bool listeners_cache_has(struct listeners_cache *l, uint16_t port, int64_t max_age_ms)
{
    const bool now = max_age_ms == 0 || l->read_ms == 0 || l->is_unreadable;
    const bool quick = l->took_ms <= QUICK_MS;
    if (!quick && max_age_ms < COST * l->took_ms)
        max_age_ms = COST * l->took_ms;
    if (now && l->is_scanning)
        stop_scan(l);
    if (now)
        begin_scan(l, INT64_MAX);
    else if (!l->is_scanning && clock_monotonic_ms() - l->read_ms > max_age_ms)
        begin_scan(l, quick ? QUICK_MS * INT64_C(1000) : 0);
    return !l->is_unreadable && listeners_has(&l->found, port);
}

bool listeners_cache_is_readable(struct listeners_cache *l)
{
    (void)listeners_cache_has(l, 0, LISTENERS_MAX_AGE_MS);
    return !l->is_unreadable;
}

int listeners_cache_start(struct listeners_cache *l, struct event_base *base, bool foreign_network)
{
    *l = (struct listeners_cache){.foreign_network = foreign_network,
                                  .on_piece = evtimer_new(base, on_piece, l)};
    return l->on_piece != NULL ? 0 : -1;
}
