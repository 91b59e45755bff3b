/* SPDX-License-Identifier: ISC */
#include "leased/watch/store_watch.h"

#include "leased/watch/dir_watch.h"
#include "leased/watch/metrics.h"
#include "leased/watch/place.h"
#include "leased/watch/sessions.h"
#include "leased/watch/timer.h"
#include "lib/conf/conf.h"
#include "lib/store/connection.h"

#include <bsd/string.h>
#include <string.h>
#include <sys/inotify.h>

enum {
    FIRST_LOOK_MS = 2, /* after a sign from the store's log; each further look waits twice as */
    LOOKS = 9,         /* long: a commit is seen only when its writer has flushed the disk */
};

static void look(struct store_watch *w)
{
    int64_t version = 0;
    if (!place_look(w->place))
        return;
    if (store_version_seen(w->place->store, &version) != STORE_OK) {
        metrics_add_store_error(w->metrics);
        return;
    }
    if (version != w->version)
        (void)sessions_sweep(w->sessions);
    w->version = version;
}

static void on_sign(evutil_socket_t fd, short what, void *arg)
{
    struct store_watch *w = arg;
    (void)what;
    if (!dir_watch_read(fd, strrchr(w->place->path, '/') + 1))
        return;
    /* Not put off by sign after sign, as our own commits give them: a look that is near stays. */
    if (w->looks > 1 || !timer_is_armed(w->on_look))
        timer_arm(w->on_look, FIRST_LOOK_MS);
    w->looks = 0;
}

/*
 * A writer's pages reach the log, and wake us, before it has flushed them; only then does the
 * commit become visible, and nothing says so. The looks go on for a while.
 */
static void on_look(evutil_socket_t fd, short what, void *arg)
{
    struct store_watch *w = arg;
    (void)fd;
    (void)what;
    look(w);
    if (++w->looks < LOOKS)
        timer_arm(w->on_look, FIRST_LOOK_MS << w->looks);
}

static int watch(struct store_watch *w)
{
    char path[CONF_PATH_BYTES + 16];
    (void)strlcpy(path, w->place->path, sizeof(path));
    char *slash = strrchr(path, '/');
    slash[slash == path ? 1 : 0] = '\0';
    return dir_watch_start(w->base, path,
                           IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
                               IN_MOVE_SELF,
                           on_sign, w, &w->on_sign);
}

void store_watch_use_new(struct store_watch *w)
{
    (void)watch(w);
    (void)store_version_seen(w->place->store, &w->version);
    (void)sessions_sweep(w->sessions);
}

static void on_lost(evutil_socket_t fd, short what, void *arg)
{
    struct store_watch *w = arg;
    (void)fd;
    (void)what;
    look(w);
    timer_arm(w->on_lost, DIR_WATCH_LOST_MS);
}

int store_watch_start(struct store_watch *w, struct event_base *base, struct place *place,
                      struct sessions *sessions, struct metrics *metrics)
{
    *w = (struct store_watch){.place = place,
                              .sessions = sessions,
                              .metrics = metrics,
                              .base = base,
                              .on_look = evtimer_new(base, on_look, w),
                              .on_lost = evtimer_new(base, on_lost, w)};
    if (w->on_look == NULL || w->on_lost == NULL || watch(w) != 0)
        return -1;
    (void)store_version_seen(place->store, &w->version);
    timer_arm(w->on_lost, DIR_WATCH_LOST_MS);
    return 0;
}
