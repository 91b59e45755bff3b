/* SPDX-License-Identifier: ISC */
#include "leased/watch/place.h"

#include "leased/watch/clock_jumps.h"
#include "leased/watch/timer.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/conf/conf.h"
#include "lib/store/connection.h"
#include "lib/store/leave.h"
#include "lib/store/open_write.h"
#include "lib/store/place.h"

#include <bsd/string.h>
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
static void say_lost(struct place *p, const char *why)
{
    int64_t now_ms = clock_monotonic_ms();
    if (p->is_lost && strcmp(p->why, why) == 0 && now_ms - p->said_ms < SAY_AGAIN_MS)
        return;
    (void)strlcpy(p->why, why, sizeof(p->why));
    p->said_ms = now_ms;
    log_error("the store '%s' cannot be used: %s; until it can, requests are answered 503 and "
              "nothing is ended",
              p->path, why);
}

static void lose(struct place *p)
{
    say_lost(p, store_error(p->store));
    p->is_lost = true;
    p->traces = store_traces(p->store);
    p->quiet_ms = p->main_quiet_ms = clock_monotonic_ms();
    timer_arm(p->on_look, LOOK_MS);
}

bool place_look(struct place *p)
{
    if (!p->is_lost && store_in_place(p->store) != STORE_OK)
        lose(p);
    return !p->is_lost;
}

const char *place_problem(const struct place *p)
{
    return p->is_lost ? p->why : NULL;
}

/* Whether whoever puts a store there seems to be done with it. */
static bool is_quiet(struct place *p)
{
    struct store_traces now = store_traces(p->store);
    int64_t now_ms = clock_monotonic_ms();
    if (memcmp(&now.files[0], &p->traces.files[0], sizeof(now.files[0])) != 0)
        p->main_quiet_ms = now_ms;
    if (!store_traces_same(&now, &p->traces))
        p->quiet_ms = now_ms;
    p->traces = now;
    return now_ms - p->quiet_ms >= QUIET_MS || now_ms - p->main_quiet_ms >= QUIET_MAX_MS;
}

/* The lock moved with the old one's files; two daemons must not work on one store. 0 or -1. */
static int lock_again(struct place *p)
{
    char path[CONF_PATH_BYTES + 16];
    struct stat locked, there;
    (void)snprintf(path, sizeof(path), "%s-leased", p->path);
    if (fstat(p->lock_fd, &locked) == 0 && stat(path, &there) == 0 &&
        locked.st_ino == there.st_ino && locked.st_dev == there.st_dev)
        return 0;
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (fd >= 0)
            (void)close(fd);
        return -1;
    }
    (void)close(p->lock_fd);
    p->lock_fd = fd;
    clock_jumps_move_note(p->clock_jumps, fd);
    return 0;
}

/* False: why is said, and it is tried again. */
static bool take_anew(struct place *p)
{
    char err[STORE_ERROR_BYTES];
    struct store *st = NULL;
    if (lock_again(p) != 0) {
        say_lost(p, "another leased has locked it, or it cannot be locked");
        return false;
    }
    /* The old one first: two on the same files would let go of one another's locks. */
    if (store_leave(p->store) != STORE_OK) {
        say_lost(p, store_error(p->store));
        return false;
    }
    if (store_open_again(p->path, &st, err) != STORE_OK) {
        say_lost(p, err);
        return false;
    }
    store_set_timeout(st, 0);
    store_close(p->store);
    p->store = st;
    p->is_lost = false;
    if (p->change.forget_old(p->change.arg) == STORE_OK)
        return true;
    p->is_lost = true;
    say_lost(p, store_error(p->store));
    return false;
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
    struct place *p = arg;
    enum store_place place = store_look(p->store);
    (void)fd;
    (void)what;
    timer_arm(p->on_look, LOOK_MS);
    if (place == STORE_MISSING || place == STORE_EMPTY || place == STORE_CUT) {
        say_lost(p, store_error(p->store));
        p->traces = store_traces(p->store);
        p->quiet_ms = p->main_quiet_ms = clock_monotonic_ms();
        return;
    }
    if (!is_quiet(p) || !take_anew(p))
        return;
    (void)event_del(p->on_look);
    log_warn("the store '%s' was replaced, or taken away and put back: it is open anew", p->path);
    p->change.use_new(p->change.arg);
}

void place_open(struct place *p, const char *path, struct store *st, int lock_fd)
{
    *p = (struct place){.store = st, .path = path, .lock_fd = lock_fd};
}

int place_start(struct place *p, struct event_base *base, struct clock_jumps *clock_jumps,
                const struct place_change *change)
{
    p->clock_jumps = clock_jumps;
    p->change = *change;
    p->on_look = evtimer_new(base, on_look, p);
    return p->on_look != NULL ? 0 : -1;
}
