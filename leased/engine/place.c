/* SPDX-License-Identifier: ISC */
/*
 * Whether the store that is open is the one that lies at its path (lib/store/place.h). Where it is
 * not, nothing is answered from it and nothing is ended by it; where another one came in its place,
 * that is opened, once whoever puts it there is done.
 */
#include "leased/engine/engine.h"
#include "leased/engine/timer.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <bsd/string.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LOOK_MS = 100,
    QUIET_MS = 500,      /* nothing changes there for so long: it is all there */
    QUIET_MAX_MS = 5000, /* for so long, should others write to its log all the time */
};

/* The first time, when it is something else, and each minute. */
static void say_lost(struct engine *e, const char *why)
{
    struct lost *l = &e->lost;
    int64_t now_ms = clock_monotonic_ms();
    if (l->is_on && strcmp(l->why, why) == 0 && now_ms - l->said_ms < SAY_AGAIN_MS)
        return;
    (void)strlcpy(l->why, why, sizeof(l->why));
    l->said_ms = now_ms;
    log_error("the store '%s' cannot be used: %s; until it can, requests are answered 503 and "
              "nothing is ended",
              e->conf.paths.database, why);
}

static void lose(struct engine *e)
{
    say_lost(e, store_error(e->store));
    e->lost.is_on = true;
    e->lost.traces = store_traces(e->store);
    e->lost.quiet_ms = e->lost.main_quiet_ms = clock_monotonic_ms();
    timer_arm(e->on_place, LOOK_MS);
}

bool place_look(struct engine *e)
{
    if (!e->lost.is_on && store_in_place(e->store) != STORE_OK)
        lose(e);
    return !e->lost.is_on;
}

const char *place_problem(const struct engine *e)
{
    return e->lost.is_on ? e->lost.why : NULL;
}

/* Whether whoever puts a store there seems to be done with it. */
static bool is_quiet(struct engine *e)
{
    struct lost *l = &e->lost;
    struct store_traces now = store_traces(e->store);
    int64_t now_ms = clock_monotonic_ms();
    if (memcmp(&now.files[0], &l->traces.files[0], sizeof(now.files[0])) != 0)
        l->main_quiet_ms = now_ms;
    if (!store_traces_same(&now, &l->traces))
        l->quiet_ms = now_ms;
    l->traces = now;
    return now_ms - l->quiet_ms >= QUIET_MS || now_ms - l->main_quiet_ms >= QUIET_MAX_MS;
}

/* The lock moved with the old one's files; two daemons must not work on one store. 0 or -1. */
static int lock_again(struct engine *e)
{
    char path[CONF_PATH_BYTES + 16];
    struct stat locked, there;
    (void)snprintf(path, sizeof(path), "%s-leased", e->conf.paths.database);
    if (fstat(e->lock_fd, &locked) == 0 && stat(path, &there) == 0 &&
        locked.st_ino == there.st_ino && locked.st_dev == there.st_dev)
        return 0;
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (fd >= 0)
            (void)close(fd);
        return -1;
    }
    (void)close(e->lock_fd);
    e->lock_fd = fd;
    clock_jumps_move_note(&e->clock_jumps, fd);
    return 0;
}

/* False: why is said, and it is tried again. */
static bool take_anew(struct engine *e)
{
    char err[STORE_ERROR_BYTES];
    struct store *st = NULL;
    if (lock_again(e) != 0) {
        say_lost(e, "another leased has locked it, or it cannot be locked");
        return false;
    }
    /* The old one first: two on the same files would let go of one another's locks. */
    if (store_leave(e->store) != STORE_OK) {
        say_lost(e, store_error(e->store));
        return false;
    }
    if (store_open_again(e->conf.paths.database, &st, err) != STORE_OK) {
        say_lost(e, err);
        return false;
    }
    store_set_timeout(st, 0);
    store_close(e->store);
    e->store = st;
    e->lost.is_on = false;
    if (engine_take_store(e) == STORE_OK)
        return true;
    e->lost.is_on = true;
    say_lost(e, store_error(e->store));
    return false;
}

static void on_place(evutil_socket_t fd, short what, void *arg)
{
    struct engine *e = arg;
    enum store_place place = store_look(e->store);
    (void)fd;
    (void)what;
    timer_arm(e->on_place, LOOK_MS);
    if (place == STORE_MISSING || place == STORE_EMPTY || place == STORE_CUT) {
        say_lost(e, store_error(e->store));
        e->lost.traces = store_traces(e->store);
        e->lost.quiet_ms = e->lost.main_quiet_ms = clock_monotonic_ms();
        return;
    }
    if (!is_quiet(e) || !take_anew(e))
        return;
    (void)event_del(e->on_place);
    log_warn("the store '%s' was replaced, or taken away and put back: it is open anew",
             e->conf.paths.database);
    sessions_take_store(e);
}

int place_start(struct engine *e)
{
    e->on_place = evtimer_new(e->base, on_place, e);
    return e->on_place != NULL ? 0 : -1;
}
