/* SPDX-License-Identifier: ISC */
#include "leased/watch/store_watch.h"

#include "leased/watch/dir_watch.h"
#include "leased/watch/metrics.h"
#include "leased/watch/open_store.h"
#include "leased/watch/sessions.h"
#include "leased/watch/timer.h"
#include "lib/conf/conf.h"
#include "lib/store/connection.h"

#include <bsd/string.h>
#include <string.h>
#include <sys/inotify.h>

enum {
    FIRST_CHECK_MS = 2, /* after an event from the store's log; each further check waits twice as */
    CHECKS = 9, /* long: a commit becomes visible only after its writer has flushed it to disk */
};

static enum store_rc note_version(struct store_watch *w)
{
    enum store_rc rc = store_data_version(w->open_store->store, &w->version);
    return rc == STORE_OK ? store_generation(w->open_store->store, &w->generation) : rc;
}

static void check(struct store_watch *w)
{
    const struct store_watch before = *w;
    if (!open_store_check(w->open_store))
        return;
    enum store_rc rc = note_version(w);
    /* A restore leaves the file where it is, and changes all that is in it. */
    if (rc == STORE_OK && w->generation != before.generation)
        rc = open_store_read_anew(w->open_store);
    if (rc != STORE_OK) { /* the next check tries again */
        w->version = before.version;
        w->generation = before.generation;
        metrics_add_store_error(w->metrics);
    } else if (w->version != before.version)
        (void)sessions_sweep(w->sessions);
}

static void on_inotify(evutil_socket_t fd, short what, void *arg)
{
    struct store_watch *w = arg;
    (void)what;
    if (!dir_watch_read(fd, strrchr(w->open_store->path, '/') + 1))
        return;
    /* Event after event, as our own commits cause them, must not put the check off: one that is due
     * soon stays. */
    if (w->checks > 1 || !timer_is_armed(w->on_check))
        timer_arm(w->on_check, FIRST_CHECK_MS);
    w->checks = 0;
}

/*
 * A writer's pages reach the log, and wake us, before the writer has flushed them to disk. The
 * commit becomes visible only after that, and no event says so: hence several checks.
 */
static void on_check(evutil_socket_t fd, short what, void *arg)
{
    struct store_watch *w = arg;
    (void)fd;
    (void)what;
    check(w);
    if (++w->checks < CHECKS)
        timer_arm(w->on_check, FIRST_CHECK_MS << w->checks);
}

static int watch_directory(struct store_watch *w)
{
    char path[CONF_PATH_BYTES + 16];
    (void)strlcpy(path, w->open_store->path, sizeof(path));
    char *slash = strrchr(path, '/');
    slash[slash == path ? 1 : 0] = '\0';
    return dir_watch_start(w->base, path,
                           IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
                               IN_MOVE_SELF,
                           on_inotify, w, &w->on_inotify);
}

void store_watch_reopened(struct store_watch *w)
{
    (void)watch_directory(w);
    (void)note_version(w);
    (void)sessions_sweep(w->sessions);
}

static void on_regular(evutil_socket_t fd, short what, void *arg)
{
    struct store_watch *w = arg;
    (void)fd;
    (void)what;
    check(w);
    timer_arm(w->on_regular, DIR_WATCH_FALLBACK_MS);
}

int store_watch_start(struct store_watch *w, struct event_base *base, struct open_store *open_store,
                      struct sessions *sessions, struct metrics *metrics)
{
    *w = (struct store_watch){.open_store = open_store,
                              .sessions = sessions,
                              .metrics = metrics,
                              .base = base,
                              .on_check = evtimer_new(base, on_check, w),
                              .on_regular = evtimer_new(base, on_regular, w)};
    if (w->on_check == NULL || w->on_regular == NULL || watch_directory(w) != 0)
        return -1;
    (void)note_version(w);
    timer_arm(w->on_regular, DIR_WATCH_FALLBACK_MS);
    return 0;
}
