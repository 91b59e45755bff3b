/* SPDX-License-Identifier: ISC */
/*
 * The reaper: what is live is judged against the store, what may not stay is ended, and the end is
 * verified. It acts on signs (inotify on the registry and on the store's log) and, should one be
 * lost, on a clock. It only reads: what happened is written down when the store's lock can be had.
 */
#include "leased/engine/engine.h"
#include "leased/engine/timer.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/lease/duration.h"
#include "lib/session/process.h"

#include <bsd/string.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int watch_registry(struct engine *e);

enum { CLEAR_MS = 5 }; /* of the dead's entries, at a sweep: requests wait meanwhile */

/* ---- ending ---- */

static struct ending *find_ending(struct engine *e, const struct session *s)
{
    for (size_t i = 0; i < e->ending_count; i++)
        if (e->endings[i].pid == s->pid && e->endings[i].start_ticks == s->start_ticks)
            return &e->endings[i];
    return NULL;
}

static void end_session(struct engine *e, const struct session *s, enum session_verdict why)
{
    int64_t now_ms = clock_monotonic_ms();
    if (find_ending(e, s) != NULL || e->ending_count == LADDERS_MAX || e->has_no_room)
        return; /* under way, or at the next sweep */
    struct ending *end = &e->endings[e->ending_count++];
    *end = (struct ending){.pid = s->pid,
                           .start_ticks = s->start_ticks,
                           .lease_id = s->lease_id,
                           .why = why,
                           .since_ms = now_ms};
    (void)strlcpy(end->lease, s->lease, sizeof(end->lease));
    (void)strlcpy(end->login, s->login, sizeof(end->login));
    if (ladder_start(&end->ladder, s, now_ms) == LADDER_NO_ROOM) {
        e->has_no_room = true;
        if (e->ending_count > 1) { /* those that are under way will make some */
            e->ending_count--;
            return;
        }
    }
    timer_arm(e->on_ladder, 1);
}

static void ended(struct engine *e, const struct ending *end, int64_t now_ms)
{
    char detail[96];
    (void)snprintf(detail, sizeof(detail), "reason=%s pid=%d after_ms=%lld",
                   session_verdict_name(end->why), (int)end->pid,
                   (long long)(now_ms - end->since_ms));
    log_info("ended login=%s lease=%s %s", end->login, end->lease, detail);
    metrics_add_ended(&e->metrics, end->why, now_ms - end->since_ms);
    records_add(&e->records, RECORD_ENDED, end->lease_id, end->lease, clock_now_s(), detail);
}

static void cannot_end(const struct ending *end, const char *why)
{
    log_error("cannot end pid %d login=%s lease=%s reason=%s: %s", (int)end->pid, end->login,
              end->lease, session_verdict_name(end->why), why);
}

static void on_ladder(evutil_socket_t fd, short what, void *arg)
{
    struct engine *e = arg;
    int64_t now_ms = clock_monotonic_ms();
    size_t kept = 0;
    bool again = false;
    (void)fd;
    (void)what;
    for (size_t i = 0; i < e->ending_count; i++) {
        struct ending *end = &e->endings[i];
        enum ladder_state state = ladder_step(&end->ladder, now_ms);
        switch (state) {
        case LADDER_GONE:
            again = true;
            ended(e, end, now_ms);
            break;
        case LADDER_CLIMBING:
            if (now_ms - end->since_ms <= LADDER_LIMIT_MS) {
                e->endings[kept++] = *end;
                break;
            }
            cannot_end(end, "still up; tried again");
            ladder_release(&end->ladder);
            again = true;
            break;
        case LADDER_FAILED:
        case LADDER_NO_ROOM:
            cannot_end(end, strerror(end->ladder.why));
            break;
        }
    }
    e->ending_count = kept;
    e->has_no_room = false;
    if (kept > 0)
        timer_arm(e->on_ladder, LADDER_STEP_MS);
    /* Where it failed at once, the next sweep is soon enough to try again. */
    if (again)
        sessions_soon(e);
}

/* ---- looking ---- */

static int compare_pid(const void *a, const void *b)
{
    const struct session *const *x = a, *const *y = b;
    if ((*x)->pid != (*y)->pid) /* two of one number are of two pid namespaces */
        return (*x)->pid < (*y)->pid ? -1 : 1;
    return ((*x)->start_ticks > (*y)->start_ticks) - ((*x)->start_ticks < (*y)->start_ticks);
}

/* The list's sessions by pid, to be freed; NULL when memory ran out. */
static const struct session **by_pid(const struct session_list *list)
{
    const struct session **ret = calloc(list->count + 1, sizeof(*ret));
    if (ret == NULL)
        return NULL;
    for (size_t i = 0; i < list->count; i++)
        ret[i] = &list->items[i];
    qsort(ret, list->count, sizeof(ret[0]), compare_pid);
    return ret;
}

static bool has_tunnel(const struct session *s)
{
    return s->open && s->listens != NULL && s->listens[0] != '\0';
}

static void note_opened(struct engine *e, const struct session *s)
{
    const int64_t since_s = s->since_s != 0 ? s->since_s : clock_now_s(); /* not readable */
    metrics_add_opened(&e->metrics);
    records_add(&e->records, RECORD_LOGIN, s->lease_id, s->lease, since_s, "");
    if (has_tunnel(s)) {
        log_info("tunnel up lease=%s login=%s source=%s", s->lease, s->login, s->source);
        records_add(&e->records, RECORD_TUNNEL_UP, s->lease_id, s->lease, since_s, s->source);
    }
}

static void note_gone(struct engine *e, const struct session *s)
{
    if (has_tunnel(s)) {
        log_info("tunnel down lease=%s login=%s source=%s", s->lease, s->login, s->source);
        records_add(&e->records, RECORD_TUNNEL_DOWN, s->lease_id, s->lease, clock_now_s(),
                    s->source);
    }
}

/* What came and what went: both lists by pid, side by side. One that cannot be seen any more has
 * not gone, and one that never could be has come: root wrote its entry. */
static int note_changes(struct engine *e, const struct session_list *list)
{
    const struct session **old = by_pid(&e->live), **now = by_pid(list);
    int rc = old != NULL && now != NULL ? 0 : -1;
    size_t i = 0, j = 0;
    while (rc == 0 && (i < e->live.count || j < list->count)) {
        const struct session *was = i < e->live.count ? old[i] : NULL;
        const struct session *is = j < list->count ? now[j] : NULL;
        bool takes_was = was != NULL && (is == NULL || compare_pid(&was, &is) <= 0);
        bool takes_is = is != NULL && (was == NULL || compare_pid(&is, &was) <= 0);
        bool same = takes_was && takes_is;
        if (takes_was && !same)
            note_gone(e, was);
        if (takes_is && is->open && !(same && was->open))
            note_opened(e, is);
        i += takes_was;
        j += takes_is;
    }
    free(old);
    free(now);
    return rc;
}

/* ---- what cannot be seen ---- */

void sessions_say_unseen(const struct engine *e, struct buf *out)
{
    const struct unseen *u = &e->unseen;
    if (u->count == 0)
        buf_addf(out, "no session could be seen: %s; none would be ended at the end of its lease",
                 session_unseen_reason(u->why));
    else
        buf_addf(out, "%zu session%s cannot be seen: %s", u->count, u->count == 1 ? "" : "s",
                 session_unseen_reason(u->why));
    if (u->over > 0)
        buf_addf(out, "; over, and not ended: %s", u->leases);
    else if (u->count > 0)
        buf_add(out, "; none is ended at the end of its lease");
}

/* The name after the others, or dots where there is no room for it. Of a lease each once. */
static void add_lease(struct unseen *u, const struct session *s, int64_t last_id)
{
    static const char dots[] = ", ...";
    char name[SESSION_NAME_BYTES + 8];
    const size_t len = strlen(u->leases);
    if (s->lease[0] != '\0')
        (void)strlcpy(name, s->lease, sizeof(name));
    else /* its entry cannot be read */
        (void)snprintf(name, sizeof(name), "#%lld", (long long)s->lease_id);
    if (u->over > 0 && s->lease_id == last_id)
        return;
    if (len + strlen(name) + 2 + sizeof(dots) <= sizeof(u->leases))
        (void)snprintf(u->leases + len, sizeof(u->leases) - len, "%s%s", len > 0 ? ", " : "", name);
    else if (len >= sizeof(dots) && strcmp(u->leases + len + 1 - sizeof(dots), dots) != 0)
        (void)strlcat(u->leases, dots, sizeof(u->leases));
}

static void say_unseen(const struct engine *e)
{
    struct buf text = {0};
    sessions_say_unseen(e, &text);
    log_error("%s; 'leasectl doctor' says what to do",
              buf_text(&text) != NULL ? buf_text(&text) : "out of memory");
    buf_release(&text);
}

/* The first time, when one more lease is over, and each minute. The list is by lease. */
static void note_unseen(struct engine *e, const struct session_list *list,
                        const enum session_verdict verdicts[])
{
    struct unseen u = {.count = list->unseen, .why = list->unseen_why};
    struct process first;
    const int64_t now_ms = clock_monotonic_ms();
    int64_t last_id = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct session *s = &list->items[i];
        if (s->sight != SESSION_UNSEEN || verdicts[i] == SESSION_ALLOWED ||
            verdicts[i] == SESSION_NOT_JUDGED)
            continue;
        add_lease(&u, s, last_id);
        last_id = s->lease_id;
        u.over++;
    }
    /* Where nobody is connected, who will be is not seen either. */
    if (u.count == 0 && process_read_stat(1, &first) == SIGHT_CANNOT_TELL)
        u.why = errno;
    u.is_on = u.count > 0 || u.why != 0;
    u.said_ms = e->unseen.said_ms;
    const bool is_news = !e->unseen.is_on || strcmp(u.leases, e->unseen.leases) != 0;
    const bool was_on = e->unseen.is_on;
    e->unseen = u;
    if (u.is_on != was_on)
        e->health_until_ms = e->metrics_until_ms = 0;
    if (u.is_on && (is_news || now_ms - u.said_ms >= SAY_AGAIN_MS)) {
        e->unseen.said_ms = now_ms;
        say_unseen(e);
    } else if (was_on && !u.is_on) {
        log_info("sessions can be seen again");
    }
}

/* The directory that is open is the one at its path: in one that was deleted nobody is ever met. */
static void see_registry(struct engine *e)
{
    char path[CONF_PATH_BYTES + 16];
    struct stat open_one, there;
    (void)snprintf(path, sizeof(path), "%s/sessions", e->conf.paths.run_dir);
    if (e->has_registry && fstat(e->registry.sessions_fd, &open_one) == 0 &&
        stat(path, &there) == 0 && open_one.st_ino == there.st_ino &&
        open_one.st_dev == there.st_dev)
        return;
    if (e->has_registry)
        registry_close(&e->registry);
    e->has_registry = registry_open(e->conf.paths.run_dir, false, &e->registry) == 0;
    if (e->has_registry)
        (void)watch_registry(e);
}

/* Said the first time, and each minute; and looked again before the next sweep, since nothing wakes
 * us when the directory is made anew. */
static void go_blind(struct engine *e, int why)
{
    const int64_t now_ms = clock_monotonic_ms();
    if (!e->is_blind || now_ms - e->blind_said_ms >= SAY_AGAIN_MS) {
        log_error("cannot read the session registry '%s/sessions': %s; until it can be read no "
                  "session is ended",
                  e->conf.paths.run_dir, strerror(why));
        e->blind_said_ms = now_ms;
    }
    if (!e->is_blind)
        e->health_until_ms = e->metrics_until_ms = 0;
    e->is_blind = true;
    timer_arm(e->on_soon, BLIND_LOOK_MS);
}

bool sessions_sweep(struct engine *e)
{
    bool swept = false;
    struct session_list list = {.items = NULL};
    enum session_verdict *verdicts = NULL;
    int64_t next_s = INT64_MAX, now_s = clock_now_s();

    (void)event_del(e->on_soon);
    if (!place_look(e))
        return false;
    see_registry(e);
    if (!e->has_registry || registry_read(&e->registry, 0, &list) != 0) {
        go_blind(e, errno);
        return false;
    }
    e->is_blind = false;
    verdicts = calloc(list.count + 1, sizeof(*verdicts));
    if (verdicts == NULL)
        goto out;
    enum store_rc rc = store_judge_sessions(e->store, &list, now_s, verdicts, &next_s);
    if (rc != STORE_OK) {
        metrics_add_store_error(&e->metrics);
        log_error("cannot judge sessions: %s", store_error(e->store));
        goto out;
    }
    for (size_t i = 0; i < list.count; i++) {
        if (verdicts[i] == SESSION_NOT_JUDGED)
            log_error("cannot judge pid %d lease=%s: its lease cannot be read",
                      (int)list.items[i].pid, list.items[i].lease);
        else if (verdicts[i] != SESSION_ALLOWED && list.items[i].sight == SESSION_LIVE)
            end_session(e, &list.items[i], verdicts[i]);
    }
    note_unseen(e, &list, verdicts);
    /* Where RunDir is ours, as a private instance has it: root's is cleared at the start, by the
     * next login, and by leasectl. */
    (void)registry_clear(&e->registry, &list, clock_monotonic_ms() + CLEAR_MS);
    if (note_changes(e, &list) != 0)
        goto out; /* at the next sweep */
    session_list_release(&e->live);
    e->live = list;
    list = (struct session_list){.items = NULL};
    swept = true;
    metrics_set_last_sweep(&e->metrics, now_s);
    e->swept_ms = clock_monotonic_ms();
    (void)event_del(e->on_expiry);
    /* Not further than the clock can be trusted to go on as it does. */
    if (next_s != INT64_MAX && next_s - now_s < 3600)
        timer_arm(e->on_expiry, (next_s - now_s) * 1000 + 5);
out:
    free(verdicts);
    session_list_release(&list);
    return swept;
}

void sessions_soon(struct engine *e)
{
    if (!timer_is_armed(e->on_soon))
        timer_arm(e->on_soon, SETTLE_MS);
}

void sessions_store_changed(struct engine *e)
{
    int64_t version = 0;
    if (!place_look(e))
        return;
    if (store_version_seen(e->store, &version) != STORE_OK) {
        metrics_add_store_error(&e->metrics);
        return;
    }
    if (version != e->store_version)
        (void)sessions_sweep(e);
    e->store_version = version;
}

const struct session *engine_session_of(const struct engine *e, int64_t lease_id)
{
    size_t low = 0, high = e->live.count;
    while (low < high) { /* the first of that lease */
        size_t mid = low + (high - low) / 2;
        if (e->live.items[mid].lease_id < lease_id)
            low = mid + 1;
        else
            high = mid;
    }
    for (; low < e->live.count && e->live.items[low].lease_id == lease_id; low++)
        if (e->live.items[low].open)
            return &e->live.items[low];
    return NULL;
}

bool engine_may_have_session(const struct engine *e, int64_t lease_id)
{
    struct session_list list;
    if (engine_session_of(e, lease_id) != NULL || !e->has_registry ||
        registry_read(&e->registry, lease_id, &list) != 0)
        return true;
    session_list_filter(&list, session_is_open, NULL);
    bool any = list.count > 0;
    session_list_release(&list);
    return any;
}

/* ---- signs ---- */

static void on_soon(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)sessions_sweep(arg);
}

/* Whether something changed that is called so, or begins so; without a name, anything. Events that
 * name nothing are of the directory itself, or of some that were lost. */
static bool drain(int fd, const char *name)
{
    _Alignas(struct inotify_event) char text[8192];
    bool hit = false;
    ssize_t n;
    while ((n = read(fd, text, sizeof(text))) > 0)
        for (char *at = text; at < text + n;) {
            const struct inotify_event *ev = (const void *)at;
            hit = hit || name == NULL || ev->len == 0 || strncmp(ev->name, name, strlen(name)) == 0;
            at += sizeof(*ev) + ev->len;
        }
    return hit;
}

static void on_registry(evutil_socket_t fd, short what, void *arg)
{
    (void)what;
    if (drain(fd, NULL))
        sessions_soon(arg);
}

static void on_store(evutil_socket_t fd, short what, void *arg)
{
    struct engine *e = arg;
    (void)what;
    if (!drain(fd, strrchr(e->conf.paths.database, '/') + 1))
        return;
    /* Not put off by sign after sign, as our own commits give them: a look that is near stays. */
    if (e->looks > 1 || !timer_is_armed(e->on_look))
        timer_arm(e->on_look, FIRST_LOOK_MS);
    e->looks = 0;
}

/*
 * A writer's pages reach the log, and wake us, before it has flushed them; only then does the
 * commit become visible, and nothing says so. The looks go on for a while.
 */
static void on_look(evutil_socket_t fd, short what, void *arg)
{
    struct engine *e = arg;
    (void)fd;
    (void)what;
    sessions_store_changed(e);
    if (++e->looks < LOOKS)
        timer_arm(e->on_look, FIRST_LOOK_MS << e->looks);
}

/* In place of the watch that there is, if any. */
static int watch(struct engine *e, const char *dir, uint32_t mask, event_callback_fn fn,
                 struct event **watching)
{
    if (*watching != NULL) {
        (void)close(event_get_fd(*watching));
        event_free(*watching);
        *watching = NULL;
    }
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0 || inotify_add_watch(fd, dir, mask) < 0) {
        log_warn("cannot watch '%s': %s; changes are seen within %d s", dir, strerror(errno),
                 VERSION_LOOK_MS / 1000);
        if (fd >= 0)
            (void)close(fd);
        return 0;
    }
    *watching = event_new(e->base, fd, EV_READ | EV_PERSIST, fn, e);
    return *watching != NULL && event_add(*watching, NULL) == 0 ? 0 : -1;
}

static int watch_registry(struct engine *e)
{
    char path[CONF_PATH_BYTES + 16];
    (void)snprintf(path, sizeof(path), "%s/sessions", e->conf.paths.run_dir);
    return watch(e, path, IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVE_SELF | IN_ATTRIB,
                 on_registry, &e->on_registry);
}

static int watch_store(struct engine *e)
{
    char path[CONF_PATH_BYTES + 16];
    (void)strlcpy(path, e->conf.paths.database, sizeof(path));
    char *slash = strrchr(path, '/');
    slash[slash == path ? 1 : 0] = '\0';
    return watch(e, path,
                 IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_MOVE_SELF,
                 on_store, &e->on_store);
}

void sessions_take_store(struct engine *e)
{
    (void)watch_store(e);
    (void)store_version_seen(e->store, &e->store_version);
    (void)sessions_sweep(e);
}

int sessions_start(struct engine *e)
{
    e->endings = calloc(LADDERS_MAX, sizeof(*e->endings));
    e->on_soon = evtimer_new(e->base, on_soon, e);
    e->on_expiry = evtimer_new(e->base, on_soon, e);
    e->on_ladder = evtimer_new(e->base, on_ladder, e);
    e->on_look = evtimer_new(e->base, on_look, e);
    if (e->endings == NULL || e->on_soon == NULL || e->on_expiry == NULL || e->on_ladder == NULL ||
        e->on_look == NULL)
        return -1;
    if (watch_registry(e) != 0 || watch_store(e) != 0)
        return -1;
    (void)store_version_seen(e->store, &e->store_version);
    return 0;
}
