/* SPDX-License-Identifier: ISC */
#include "leased/watch/open_store.h"

#include "leased/watch/clock_jumps.h"
#include "leased/watch/timer.h"
#include "leased/watch/events.h"
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
    POLL_MS = 100,
    QUIET_MS = 500,      /* no file has changed for so long: the store is complete */
    QUIET_MAX_MS = 5000, /* the main file alone has not changed for so long: others may write to its
                            log all the time */
};

/* Logs the first time, when the reason changes, and each minute. */
static void log_unusable(struct open_store *os, const char *why)
{
    int64_t now_ms = clock_monotonic_ms();
    if (os->is_lost && strcmp(os->why, why) == 0 && now_ms - os->logged_ms < LOG_AGAIN_MS)
        return;
    (void)strlcpy(os->why, why, sizeof(os->why));
    os->logged_ms = now_ms;
    log_event(&event_store_unusable, NULL,
              "the store '%s' cannot be used: %s; until it can, requests are answered 503 and "
              "nothing is ended",
              os->path, why);
}

static void note_lost(struct open_store *os)
{
    log_unusable(os, store_error(os->store));
    os->is_lost = true;
    os->stamps = store_file_stamps(os->store);
    os->quiet_since_ms = os->main_quiet_since_ms = clock_monotonic_ms();
    timer_arm(os->on_poll, POLL_MS);
}

bool open_store_check(struct open_store *os)
{
    if (!os->is_lost && store_in_place(os->store) != STORE_OK)
        note_lost(os);
    return !os->is_lost;
}

const char *open_store_problem(const struct open_store *os)
{
    return os->is_lost ? os->why : NULL;
}

enum store_rc open_store_read_anew(struct open_store *os)
{
    enum store_rc rc = os->callbacks.reload(os->callbacks.arg);
    if (rc == STORE_OK)
        log_event(&event_store_replaced, NULL,
                  "the store '%s' was restored or migrated: leased has read it anew", os->path);
    else
        log_event(&event_store_unusable, NULL,
                  "the store '%s' was restored or migrated, and cannot be read anew: %s", os->path,
                  store_error(os->store));
    return rc;
}

/* Whether nobody seems to write to the files at the path any more, so that the store there is
 * complete. */
static bool is_quiet(struct open_store *os)
{
    struct store_file_stamps now = store_file_stamps(os->store);
    int64_t now_ms = clock_monotonic_ms();
    if (memcmp(&now.files[0], &os->stamps.files[0], sizeof(now.files[0])) != 0)
        os->main_quiet_since_ms = now_ms;
    if (!store_file_stamps_same(&now, &os->stamps))
        os->quiet_since_ms = now_ms;
    os->stamps = now;
    return now_ms - os->quiet_since_ms >= QUIET_MS ||
           now_ms - os->main_quiet_since_ms >= QUIET_MAX_MS;
}

/* Locks the lock file at the path. If the store was moved away, its lock file may have moved with
 * it, and two leased must not work on one store. Returns 0 or -1. */
static int relock(struct open_store *os)
{
    char path[CONF_PATH_BYTES + 16];
    struct stat locked, there;
    (void)snprintf(path, sizeof(path), "%s-leased", os->path);
    if (fstat(os->lock_fd, &locked) == 0 && stat(path, &there) == 0 &&
        locked.st_ino == there.st_ino && locked.st_dev == there.st_dev)
        return 0;
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (fd >= 0)
            (void)close(fd);
        return -1;
    }
    (void)close(os->lock_fd);
    os->lock_fd = fd;
    clock_jumps_set_state_fd(os->clock_jumps, fd);
    return 0;
}

/* False: the reason is logged; try again later. */
static bool reopen(struct open_store *os)
{
    char err[STORE_ERROR_BYTES];
    struct store *st = NULL;
    if (relock(os) != 0) {
        log_unusable(os, "another leased has locked it, or it cannot be locked");
        return false;
    }
    /* Close the old store first: closing it later would release the new one's POSIX locks, if both
     * have the same files. */
    if (store_leave(os->store) != STORE_OK) {
        log_unusable(os, store_error(os->store));
        return false;
    }
    if (store_open_existing(os->path, &st, err) != STORE_OK) {
        log_unusable(os, err);
        return false;
    }
    store_set_timeout(st, 0);
    store_close(os->store);
    os->store = st;
    os->is_lost = false;
    if (os->callbacks.reload(os->callbacks.arg) == STORE_OK)
        return true;
    os->is_lost = true;
    log_unusable(os, store_error(os->store));
    return false;
}

static void on_poll(evutil_socket_t fd, short what, void *arg)
{
    struct open_store *os = arg;
    enum store_place place = store_place_check(os->store);
    (void)fd;
    (void)what;
    timer_arm(os->on_poll, POLL_MS);
    if (place == STORE_MISSING || place == STORE_EMPTY || place == STORE_CUT) {
        log_unusable(os, store_error(os->store));
        os->stamps = store_file_stamps(os->store);
        os->quiet_since_ms = os->main_quiet_since_ms = clock_monotonic_ms();
        return;
    }
    if (!is_quiet(os) || !reopen(os))
        return;
    (void)event_del(os->on_poll);
    log_event(&event_store_replaced, NULL,
              "the store '%s' was replaced, or moved away and put back: leased has opened it again",
              os->path);
    os->callbacks.reopened(os->callbacks.arg);
}

void open_store_adopt(struct open_store *os, const char *path, struct store *st, int lock_fd)
{
    *os = (struct open_store){.store = st, .path = path, .lock_fd = lock_fd};
}

int open_store_start(struct open_store *os, struct event_base *base,
                     struct clock_jumps *clock_jumps, const struct reopen_callbacks *callbacks)
{
    os->clock_jumps = clock_jumps;
    os->callbacks = *callbacks;
    os->on_poll = evtimer_new(base, on_poll, os);
    return os->on_poll != NULL ? 0 : -1;
}
