/* SPDX-License-Identifier: ISC */
#include "leased/watch/sessions.h"

#include "leased/watch/dir_watch.h"
#include "leased/watch/metrics.h"
#include "leased/watch/open_store.h"
#include "leased/watch/records.h"
#include "leased/watch/session_changes.h"
#include "leased/watch/timer.h"
#include "leased/watch/events.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/conf/conf.h"
#include "lib/session/registry_read.h"
#include "lib/session/registry_remove.h"
#include "lib/store/connection.h"
#include "lib/store/session_verdict.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

enum {
    CLEAR_MS = 5,        /* a sweep's time to remove dead entries: requests wait meanwhile */
    SWEEP_DELAY_MS = 10, /* from a sign of change to the sweep */
    UNREADABLE_RETRY_MS = 500,
};

static void on_registry(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    if (dir_watch_read(fd, NULL))
        sessions_schedule_sweep(arg);
}

static int watch_registry(struct sessions *s)
{
    char path[CONF_PATH_BYTES + 16];
    (void)snprintf(path, sizeof(path), "%s/sessions", s->conf->paths.run_dir);
    return dir_watch_start(s->base, path,
                           IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVE_SELF | IN_ATTRIB,
                           on_registry, s, &s->on_registry);
}

/* Opens the registry again if its directory was replaced: no login writes to a directory that was
 * deleted. */
static void reopen_registry_if_replaced(struct sessions *s)
{
    char path[CONF_PATH_BYTES + 16];
    struct stat open_one, there;
    (void)snprintf(path, sizeof(path), "%s/sessions", s->conf->paths.run_dir);
    if (s->has_registry && fstat(s->registry.sessions_fd, &open_one) == 0 &&
        stat(path, &there) == 0 && open_one.st_ino == there.st_ino &&
        open_one.st_dev == there.st_dev)
        return;
    if (s->has_registry)
        registry_close(&s->registry);
    s->has_registry = registry_open(s->conf->paths.run_dir, false, &s->registry) == 0;
    if (s->has_registry)
        (void)watch_registry(s);
}

/* Logs the first time and each minute. Also sweeps again soon: no inotify event says when the
 * directory is made again. */
static void note_unreadable(struct sessions *s, int why)
{
    const int64_t now_ms = clock_monotonic_ms();
    if (!s->registry_unreadable || now_ms - s->unreadable_logged_ms >= LOG_AGAIN_MS) {
        log_event(&event_sight_lost, NULL,
                  "cannot read the session registry '%s/sessions': %s; until it can be read no "
                  "session is ended",
                  s->conf->paths.run_dir, strerror(why));
        s->unreadable_logged_ms = now_ms;
    }
    if (!s->registry_unreadable)
        s->visibility_changes++;
    s->registry_unreadable = true;
    timer_arm(s->on_sweep, UNREADABLE_RETRY_MS);
}

static void end_refused(struct sessions *s, const struct session_list *list,
                        const enum session_verdict verdicts[])
{
    for (size_t i = 0; i < list->count; i++) {
        if (verdicts[i] == SESSION_NOT_JUDGED)
            log_error("cannot judge pid %d lease=%s: its lease cannot be read",
                      (int)list->items[i].pid, list->items[i].lease);
        else if (verdicts[i] != SESSION_ALLOWED && list->items[i].sight == SESSION_LIVE)
            endings_add(&s->endings, &list->items[i], verdicts[i]);
    }
    const bool was_unseen = s->unseen.may_be_any;
    unseen_note(&s->unseen, list, verdicts);
    if (s->unseen.may_be_any != was_unseen)
        s->visibility_changes++;
}

/* By the clock's milliseconds: now_s is up to a second behind. */
static int64_t ms_until(int64_t unix_s)
{
    const int64_t ms = unix_s * 1000 - clock_now_ms();
    return ms > 0 ? ms : 0;
}

/* Makes list the judged one, and leaves it empty. False: out of memory, and the next sweep tries
 * again. */
static bool set_judged(struct sessions *s, struct session_list *list, int64_t now_s, int64_t next_s)
{
    if (session_changes_note(&s->judged, list, s->records, s->metrics) != 0)
        return false;
    session_list_release(&s->judged);
    s->judged = *list;
    *list = (struct session_list){.items = NULL};
    metrics_set_last_sweep(s->metrics, now_s);
    s->swept_ms = clock_monotonic_ms();
    (void)event_del(s->on_expiry);
    /* Only for an end within the next hour: the wall clock may be set before a later one, and the
     * regular sweep comes anyway. */
    if (next_s != INT64_MAX && next_s - now_s < 3600)
        timer_arm(s->on_expiry, ms_until(next_s) + 5);
    return true;
}

bool sessions_sweep(struct sessions *s)
{
    bool swept = false;
    struct session_list list = {.items = NULL};
    enum session_verdict *verdicts = NULL;
    int64_t next_s = INT64_MAX, now_s = clock_now_s();

    (void)event_del(s->on_sweep);
    if (!open_store_check(s->open_store))
        return false;
    reopen_registry_if_replaced(s);
    if (!s->has_registry || registry_read(&s->registry, 0, &list) != 0) {
        note_unreadable(s, errno);
        return false;
    }
    s->registry_unreadable = false;
    verdicts = calloc(list.count + 1, sizeof(*verdicts));
    if (verdicts == NULL)
        goto out;
    enum store_rc rc = store_judge_sessions(s->open_store->store, &list, now_s, verdicts, &next_s);
    if (rc != STORE_OK) {
        metrics_add_store_error(s->metrics);
        log_error("cannot judge sessions: %s", store_error(s->open_store->store));
        goto out;
    }
    end_refused(s, &list, verdicts);
    /* This removes entries only where leased owns RunDir, in a private instance. Root's RunDir is
     * cleared by `leased -P` at the start, by the next login, and by leasectl. */
    (void)registry_remove_dead(&s->registry, &list, clock_monotonic_ms() + CLEAR_MS);
    swept = set_judged(s, &list, now_s, next_s);
out:
    free(verdicts);
    session_list_release(&list);
    return swept;
}

void sessions_schedule_sweep(struct sessions *s)
{
    if (!timer_is_armed(s->on_sweep))
        timer_arm(s->on_sweep, SWEEP_DELAY_MS);
}

const struct session *sessions_find_open(const struct sessions *s, int64_t lease_id)
{
    size_t low = 0, high = s->judged.count;
    while (low < high) { /* binary search for the lease's first session */
        size_t mid = low + (high - low) / 2;
        if (s->judged.items[mid].lease_id < lease_id)
            low = mid + 1;
        else
            high = mid;
    }
    for (; low < s->judged.count && s->judged.items[low].lease_id == lease_id; low++)
        if (s->judged.items[low].open)
            return &s->judged.items[low];
    return NULL;
}

bool sessions_may_be_open(const struct sessions *s, int64_t lease_id)
{
    struct session_list list;
    if (sessions_find_open(s, lease_id) != NULL || !s->has_registry ||
        registry_read(&s->registry, lease_id, &list) != 0)
        return true;
    session_list_filter(&list, session_is_open, NULL);
    bool any = list.count > 0;
    session_list_release(&list);
    return any;
}

static void on_sweep(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)sessions_sweep(arg);
}

static void judge_again(void *arg)
{
    sessions_schedule_sweep(arg);
}

int sessions_start(struct sessions *s, struct event_base *base, const struct conf *conf,
                   struct open_store *open_store, struct records *records, struct metrics *metrics)
{
    *s = (struct sessions){.conf = conf,
                           .open_store = open_store,
                           .records = records,
                           .metrics = metrics,
                           .base = base,
                           .on_sweep = evtimer_new(base, on_sweep, s),
                           .on_expiry = evtimer_new(base, on_sweep, s)};
    if (s->on_sweep == NULL || s->on_expiry == NULL ||
        endings_start(&s->endings, base, records, metrics, judge_again, s) != 0)
        return -1;
    return watch_registry(s);
}
