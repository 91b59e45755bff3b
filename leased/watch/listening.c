/* SPDX-License-Identifier: ISC */
#include "leased/watch/listening.h"

#include "leased/watch/timer.h"
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

static void stop_looking(struct listening *l)
{
    listeners_end(&l->look);
    (void)event_del(l->on_piece);
    l->is_looking = false;
}

static void cannot_look(struct listening *l)
{
    if (!l->is_unknown)
        log_error("cannot read what listens, in '/proc/%s/net/tcp': %m; no new agent gets a port "
                  "until it can be read",
                  l->foreign_network ? "1" : "self");
    l->is_unknown = true;
    stop_looking(l);
}

static void take_look(struct listening *l)
{
    if (l->is_unknown)
        log_info("what listens can be read again");
    l->is_unknown = false;
    stop_looking(l);
    l->found = l->look.found;
    l->found_ms = l->since_ms;
    l->took_ms = l->spent_us / 1000;
}

/* For so long, or to its end. */
static void go_on_looking(struct listening *l, int64_t limit_us)
{
    const int64_t since_us = now_us();
    int more = 1;
    while (more == 1 && now_us() - since_us < limit_us)
        more = listeners_go_on(&l->look);
    l->spent_us += now_us() - since_us;
    if (more == 1)
        timer_arm(l->on_piece, PAUSE_MS);
    else if (more == 0)
        take_look(l);
    else
        cannot_look(l);
}

static void on_piece(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    go_on_looking(arg, PIECE_US);
}

static void begin_look(struct listening *l, int64_t limit_us)
{
    l->since_ms = clock_monotonic_ms();
    l->spent_us = 0;
    l->is_looking = true;
    if (listeners_begin(&l->look, l->foreign_network ? 1 : 0) == 0)
        go_on_looking(l, limit_us);
    else
        cannot_look(l);
}

bool listening_has(struct listening *l, uint16_t port, int64_t max_age_ms)
{
    const bool now = max_age_ms == 0 || l->found_ms == 0 || l->is_unknown;
    const bool quick = l->took_ms <= QUICK_MS;
    if (!quick && max_age_ms < COST * l->took_ms)
        max_age_ms = COST * l->took_ms;
    if (now && l->is_looking)
        stop_looking(l);
    if (now)
        begin_look(l, INT64_MAX);
    else if (!l->is_looking && clock_monotonic_ms() - l->found_ms > max_age_ms)
        begin_look(l, quick ? QUICK_MS * INT64_C(1000) : 0);
    return !l->is_unknown && listeners_has(&l->found, port);
}

bool listening_is_known(struct listening *l)
{
    (void)listening_has(l, 0, SNAPSHOT_MS);
    return !l->is_unknown;
}

int listening_start(struct listening *l, struct event_base *base, bool foreign_network)
{
    *l = (struct listening){.foreign_network = foreign_network,
                            .on_piece = evtimer_new(base, on_piece, l)};
    return l->on_piece != NULL ? 0 : -1;
}
