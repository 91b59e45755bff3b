/* SPDX-License-Identifier: ISC */
/*
 * Which ports are listened on. A look is made at once while that is quick. With tens of thousands
 * of listeners it takes a tenth of a second: then what was found last has to do until a look in
 * pieces, between requests, is through, and the next begins only after thirty times as long, so
 * that three parts in a hundred of a processor go into it.
 */
#include "leased/engine/engine.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <event2/event.h>
#include <time.h>

enum { PAUSE_US = 2000, PIECE_US = 1000, QUICK_MS = 20, COST = 30 };

static int64_t now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void stop_looking(struct engine *e)
{
    listeners_end(&e->look);
    (void)event_del(e->on_listeners);
    e->is_looking = false;
}

static void cannot_look(struct engine *e)
{
    if (!e->listening_unknown)
        log_error("cannot read what listens, in '/proc/%s/net/tcp': %m; no new agent gets a port "
                  "until it can be read",
                  e->foreign_network ? "1" : "self");
    e->listening_unknown = true;
    stop_looking(e);
}

static void take_look(struct engine *e)
{
    if (e->listening_unknown)
        log_info("what listens can be read again");
    e->listening_unknown = false;
    stop_looking(e);
    e->listening = e->look.found;
    e->listening_ms = e->look_since_ms;
    e->listening_took_ms = e->look_took_us / 1000;
}

/* For so long, or to its end. */
static void go_on_looking(struct engine *e, int64_t limit_us)
{
    const int64_t since_us = now_us();
    const struct timeval pause = {.tv_usec = PAUSE_US};
    int more = 1;
    while (more == 1 && now_us() - since_us < limit_us)
        more = listeners_go_on(&e->look);
    e->look_took_us += now_us() - since_us;
    if (more == 1)
        (void)event_add(e->on_listeners, &pause);
    else if (more == 0)
        take_look(e);
    else
        cannot_look(e);
}

static void on_listeners(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    go_on_looking(arg, PIECE_US);
}

static void begin_look(struct engine *e, int64_t limit_us)
{
    e->look_since_ms = clock_monotonic_ms();
    e->look_took_us = 0;
    e->is_looking = true;
    if (listeners_begin(&e->look, e->foreign_network ? 1 : 0) == 0)
        go_on_looking(e, limit_us);
    else
        cannot_look(e);
}

bool engine_listens(struct engine *e, uint16_t port, int64_t max_age_ms)
{
    const bool now = max_age_ms == 0 || e->listening_ms == 0 || e->listening_unknown;
    const bool quick = e->listening_took_ms <= QUICK_MS;
    if (!quick && max_age_ms < COST * e->listening_took_ms)
        max_age_ms = COST * e->listening_took_ms;
    if (now && e->is_looking)
        stop_looking(e);
    if (now)
        begin_look(e, INT64_MAX);
    else if (!e->is_looking && clock_monotonic_ms() - e->listening_ms > max_age_ms)
        begin_look(e, quick ? QUICK_MS * INT64_C(1000) : 0);
    return !e->listening_unknown && listeners_has(&e->listening, port);
}

bool engine_knows_listeners(struct engine *e)
{
    (void)engine_listens(e, 0, SNAPSHOT_MS);
    return !e->listening_unknown;
}

int listening_start(struct engine *e)
{
    e->on_listeners = evtimer_new(e->base, on_listeners, e);
    return e->on_listeners != NULL ? 0 : -1;
}
