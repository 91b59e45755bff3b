/* SPDX-License-Identifier: ISC */
#include "leased/watch/join_connections.h"

#include "leased/watch/dir_watch.h"
#include "leased/watch/events.h"
#include "leased/watch/timer.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/conf/conf.h"
#include "lib/session/join_session.h"
#include "lib/session/registry_read.h"
#include "lib/session/registry_remove.h"
#include "lib/session/run_dir.h"

#include <bsd/string.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

enum {
    LOOK_MS = 10000,        /* from one look to the next, in case a sign of change was lost */
    READ_MS = 100,          /* of one look: requests wait meanwhile */
    STEP_MS = 5,            /* of the kill ladder */
    LADDER_LIMIT_MS = 5000, /* then it is tried again, and said */
    NOTHING_DUE_MS = -1,
};

static void registry_path(const struct join_connections *j, char out[static CONF_PATH_BYTES + 32])
{
    (void)snprintf(out, CONF_PATH_BYTES + 32, "%s/" JOIN_DIRECTORY "/sessions",
                   j->conf->paths.run_dir);
}

static void look_in(struct join_connections *j, int64_t after_ms)
{
    timer_arm(j->on_look, after_ms < 1 ? 1 : after_ms);
}

static void on_change(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    if (dir_watch_read(fd, NULL))
        look_in(arg, 1);
}

/* Opens the registry where that has not been done, and again if its directory was replaced. It is
 * missing until somebody makes it: then nobody has joined. */
static void open_registry(struct join_connections *j)
{
    char path[CONF_PATH_BYTES + 32];
    struct stat open_one, there;
    registry_path(j, path);
    if (j->has_registry && fstat(j->registry.sessions_fd, &open_one) == 0 &&
        stat(path, &there) == 0 && open_one.st_ino == there.st_ino &&
        open_one.st_dev == there.st_dev)
        return;
    if (j->has_registry)
        registry_close(&j->registry);
    j->has_registry = join_registry_open(j->conf->paths.run_dir, false, &j->registry) == 0;
    int why = errno;
    if (j->has_registry)
        (void)dir_watch_start(j->base, path,
                              IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVE_SELF | IN_ATTRIB,
                              on_change, j, &j->on_change);
    errno = why;
}

static void log_unreadable(struct join_connections *j, int why)
{
    const int64_t now_ms = clock_monotonic_ms();
    if (why == ENOENT ||
        (j->unreadable_logged_ms != 0 && now_ms - j->unreadable_logged_ms < LOG_AGAIN_MS))
        return;
    j->unreadable_logged_ms = now_ms;
    log_event(&event_sight_lost, NULL,
              "cannot read the registry of join connections '%s/" JOIN_DIRECTORY
              "/sessions': %s; until it can be read none is ended",
              j->conf->paths.run_dir, strerror(why));
}

/* ---- which connections there are ---- */

static struct join_connection *find(struct join_connections *j, const struct session *s)
{
    for (size_t i = 0; i < j->count; i++)
        if (j->items[i].pid == s->pid && j->items[i].start_ticks == s->start_ticks)
            return &j->items[i];
    return NULL;
}

/* By the wall clock, which may have been set since, it is only told how long the connection has
 * been there before it was first seen; from then on the monotonic clock counts. */
static int64_t left_ms(const struct session *s, int64_t now_s)
{
    int64_t age_s = now_s - s->since_s;
    if (age_s < 0)
        age_s = 0;
    return age_s >= JOIN_SESSION_S ? 0 : (JOIN_SESSION_S - age_s) * 1000;
}

/* NULL: there is no room; a later look finds it again. */
static struct join_connection *add(struct join_connections *j, const struct session *s)
{
    if (j->count == JOIN_CONNECTIONS_MAX)
        return NULL;
    struct join_connection *c = &j->items[j->count++];
    *c = (struct join_connection){.pid = s->pid,
                                  .start_ticks = s->start_ticks,
                                  .due_ms = clock_monotonic_ms() + left_ms(s, clock_now_s())};
    (void)strlcpy(c->login, s->login, sizeof(c->login));
    (void)strlcpy(c->fingerprint, s->fingerprint, sizeof(c->fingerprint));
    (void)strlcpy(c->source, s->source, sizeof(c->source));
    return c;
}

static void log_stays(struct join_connections *j, const struct join_connection *c, const char *why)
{
    const int64_t now_ms = clock_monotonic_ms();
    if (j->stays_logged_ms != 0 && now_ms - j->stays_logged_ms < LOG_AGAIN_MS)
        return;
    j->stays_logged_ms = now_ms;
    log_event(&event_join_stays,
              LOG_FIELDS({"LOGIN", c->login}, {"KEY_FP", c->fingerprint}, {"CLIENT", c->source}),
              "cannot end pid %d login=%s key=%s source=%s: %s", (int)c->pid, c->login,
              c->fingerprint, c->source, why);
}

/* Starts to end a connection whose time is over. Nothing is sent to one that cannot be seen. */
static void end(struct join_connections *j, struct join_connection *c, const struct session *s,
                int64_t now_ms)
{
    if (s->sight != SESSION_LIVE) {
        log_stays(j, c, session_unseen_reason(s->unseen_why));
        return;
    }
    c->is_ending = true;
    c->ending_since_ms = now_ms;
    (void)ladder_start(&c->ladder, s, now_ms); /* on_step sees its state */
    timer_arm(j->on_step, 1);
}

static void look_at(struct join_connections *j, const struct session *s, int64_t now_ms)
{
    struct join_connection *c = find(j, s);
    if (c == NULL)
        c = add(j, s);
    if (c == NULL)
        return;
    c->is_seen = true;
    if (!c->is_ending && c->due_ms <= now_ms)
        end(j, c, s, now_ms);
}

/* Drops what is over, and returns how long it is until the next one is due. */
static int64_t drop_gone(struct join_connections *j, int64_t now_ms)
{
    size_t kept = 0;
    int64_t next_ms = LOOK_MS;
    for (size_t i = 0; i < j->count; i++) {
        struct join_connection *c = &j->items[i];
        if (!c->is_seen && !c->is_ending)
            continue;
        if (!c->is_ending && c->due_ms > now_ms && c->due_ms - now_ms < next_ms)
            next_ms = c->due_ms - now_ms;
        c->is_seen = false;
        if (kept != i)
            j->items[kept] = *c;
        kept++;
    }
    j->count = kept;
    return next_ms;
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
    struct join_connections *j = arg;
    struct session_list list;
    (void)fd;
    (void)what;
    open_registry(j);
    if (!j->has_registry || registry_read_open(&j->registry, JOIN_SESSION_ID,
                                               clock_monotonic_ms() + READ_MS, &list) != 0) {
        log_unreadable(j, errno);
        look_in(j, DIR_WATCH_FALLBACK_MS);
        return;
    }
    const int64_t now_ms = clock_monotonic_ms();
    for (size_t i = 0; i < list.count; i++)
        look_at(j, &list.items[i], now_ms);
    look_in(j, drop_gone(j, now_ms));
    /* Only where leased owns RunDir; in root's the next join connection and `leased -P` do. */
    (void)registry_remove_dead(&j->registry, &list, now_ms + READ_MS);
    session_list_release(&list);
}

/* ---- those that are being ended ---- */

/* False: it is over, or given up until the next look. */
static bool step(struct join_connections *j, struct join_connection *c, int64_t now_ms)
{
    switch (ladder_step(&c->ladder, now_ms)) {
    case LADDER_GONE:
        log_event(
            &event_join_ended,
            LOG_FIELDS({"LOGIN", c->login}, {"KEY_FP", c->fingerprint}, {"CLIENT", c->source}),
            "ended login=%s key=%s source=%s pid=%d after_ms=%" PRId64, c->login, c->fingerprint,
            c->source, (int)c->pid, now_ms - c->ending_since_ms);
        return false;
    case LADDER_IN_PROGRESS:
        if (now_ms - c->ending_since_ms <= LADDER_LIMIT_MS)
            return true;
        log_stays(j, c, "still up; tried again");
        ladder_release(&c->ladder);
        return false;
    case LADDER_FAILED:
    case LADDER_NO_ROOM:
        log_stays(j, c, strerror(c->ladder.why));
        return false;
    }
    return false;
}

static void on_step(evutil_socket_t fd, short what, void *arg)
{
    struct join_connections *j = arg;
    const int64_t now_ms = clock_monotonic_ms();
    bool again = false;
    (void)fd;
    (void)what;
    for (size_t i = 0; i < j->count; i++) {
        struct join_connection *c = &j->items[i];
        if (!c->is_ending)
            continue;
        c->is_ending = step(j, c, now_ms);
        if (!c->is_ending)
            c->due_ms = now_ms + LADDER_LIMIT_MS; /* if it is still there then */
        again = again || c->is_ending;
    }
    if (again)
        timer_arm(j->on_step, STEP_MS);
    else
        look_in(j, 1);
}

int join_connections_start(struct join_connections *j, struct event_base *base,
                           const struct conf *conf)
{
    *j = (struct join_connections){.conf = conf,
                                   .base = base,
                                   .registry = REGISTRY_CLOSED,
                                   .on_look = evtimer_new(base, on_look, j),
                                   .on_step = evtimer_new(base, on_step, j)};
    if (j->on_look == NULL || j->on_step == NULL)
        return -1;
    look_in(j, 1);
    return 0;
}
