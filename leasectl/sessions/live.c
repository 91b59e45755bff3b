/* SPDX-License-Identifier: ISC */
#include "leasectl/sessions/live.h"

#include "leasectl/ctl_store.h"
#include "leasectl/host/account.h"
#include "leasectl/host/pam_profile.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/session/ladder.h"
#include "lib/session/narrowed.h"
#include "lib/session/process.h"
#include "lib/session/registry_clear.h"
#include "lib/session/registry_lock.h"
#include "lib/session/registry_read.h"
#include "lib/session/run_dir.h"
#include "lib/session/strays.h"
#include "lib/store/login.h"
#include "lib/store/session_verdict.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    END_MS = 5000,     /* CONTRACT 2, exit code 6 */
    OPENING_MS = 1500, /* pam_tunnel's second, and some more */
    OPENING_S = 2,     /* the same, in times of whole seconds */
    LOOK_AGAIN_MS = 20,
    /* Two SIGTERMs would interrupt what other modules do in close_session (facts/openssh.md 3): a
     * running leased is left to send its own. */
    LEASED_MS = 200,
    LEASED_LOOK_MS = 5,
    PIDS_SHOWN = 16,
};

int live_open(struct ctl *ctl, bool for_writing, struct registry *ret)
{
    const char *run_dir = ctl->conf.paths.run_dir;
    if ((for_writing ? run_dir_open(run_dir, ret) : registry_open(run_dir, false, ret)) == 0)
        return EXIT_DONE;
    if (errno == EPERM)
        return ctl_error(
            ctl, EXIT_FAILED,
            "the session registry '%s/sessions' is not safe: it, '%s' and '%s/lock' must "
            "be root's, and writable by root alone",
            run_dir, run_dir, run_dir);
    return ctl_error(ctl, EXIT_FAILED, "cannot use the session registry '%s/sessions': %s%s",
                     run_dir, strerror(errno),
                     errno == EACCES   ? "; run this as root"
                     : errno == ENOENT ? "; 'sudo leasectl setup', or the next login, makes it"
                                       : "");
}

static void add_pid(struct buf *text, size_t n, pid_t pid)
{
    if (n < PIDS_SHOWN)
        buf_addf(text, " %d", (int)pid);
    else if (n == PIDS_SHOWN)
        buf_add(text, " ...");
}

static const char *shown(const struct buf *text)
{
    return buf_text(text) != NULL ? buf_text(text) : " ?";
}

static void say_ended(struct ctl *ctl, size_t ended, int64_t took_ms)
{
    if (ended > 0 && ctl->changes == 0) /* else the change that asked for it is the news */
        ctl_changed(ctl, "ended %zu session%s", ended, ended == 1 ? "" : "s");
    if (ended > 0 && !ctl->quiet)
        (void)fprintf(ctl->json ? stderr : stdout, "ended %zu session%s in %lld ms\n", ended,
                      ended == 1 ? "" : "s", (long long)took_ms);
}

/* ---- connections that are in no entry ---- */

/*
 * Looks until it is sure that there are some, or that there are none; and as long as one may take
 * that has just left the registry. Where the module is not in the stack there may be none yet: one
 * that was let in just before becomes the login's a moment later.
 */
static enum sight find_strays(const struct registry *r, const uid_t *uids, size_t uid_count,
                              bool registers, struct strays *s)
{
    const struct stray_logins logins = {.uids = uids, .uid_count = uid_count};
    const int64_t min_ms = registers ? STRAY_GOING_MS : 0;
    int64_t first_ms = 0;
    for (;;) {
        const enum sight sight = strays_look(s, r, NULL, &logins);
        if (first_ms == 0)
            first_ms = clock_monotonic_ms();
        if (strays_sure(s, min_ms) > 0)
            return SIGHT_IS;
        if ((registers && s->count == 0) || clock_monotonic_ms() - first_ms >= STRAY_GOING_MS)
            return sight == SIGHT_CANNOT_TELL ? sight : SIGHT_IS_NOT;
        (void)poll(NULL, 0, LOOK_AGAIN_MS);
    }
}

/*
 * What runs as the login and is in no entry came in while pam_tunnel was not in sshd's stack.
 * Nobody can tell whose it is, and several leases share the login: none is ended (DESIGN 9).
 */
static int report_unregistered(struct ctl *ctl, const struct registry *r, const char *login)
{
    const bool registers = pam_profile_in_force(ctl);
    const int64_t min_ms = registers ? STRAY_GOING_MS : 0;
    struct buf pids = {0};
    struct strays s = {.items = NULL};
    uid_t uid;
    size_t sure = 0;
    int code = EXIT_DONE;
    if (!account_uid(login, &uid))
        return EXIT_DONE;
    const enum sight sight = find_strays(r, &uid, 1, registers, &s);
    const int why = errno;
    for (size_t i = 0; i < s.count; i++)
        if (stray_is_sure(&s.items[i], min_ms))
            add_pid(&pids, sure++, s.items[i].pid);
    if (sure > 0)
        code = ctl_error(ctl, EXIT_STILL_UP,
                         "still up: %zu connection%s of login '%s' (pid%s%s), of this lease or of "
                         "others: not made through pam_tunnel, so nobody can tell; 'kill PID' ends "
                         "one, 'leasectl doctor' says why",
                         sure, sure == 1 ? "" : "s", login, sure == 1 ? "" : "s", shown(&pids));
    else if (sight == SIGHT_CANNOT_TELL)
        code =
            ctl_error(ctl, EXIT_STILL_UP,
                      "cannot tell whether login '%s' has connections that were not made through "
                      "pam_tunnel: %s",
                      login, session_unseen_reason(why));
    strays_release(&s);
    buf_release(&pids);
    return code;
}

struct uid_list {
    uid_t *items;
    size_t count;
};

static int add_uid(void *arg, const char *login)
{
    struct uid_list *list = arg;
    uid_t uid;
    if (!account_uid(login, &uid))
        return 0;
    uid_t *items = reallocarray(list->items, list->count + 1, sizeof(*items));
    if (items == NULL)
        return -1;
    list->items = items;
    list->items[list->count++] = uid;
    return 0;
}

enum sight live_unregistered(struct ctl *ctl, const struct registry *r, size_t *ret_count)
{
    struct uid_list uids = {.items = NULL};
    struct strays s = {.items = NULL};
    const bool registers = pam_profile_in_force(ctl);
    (void)account_each(ctl->conf.tunnel_group, add_uid, &uids);
    enum sight sight = SIGHT_IS_NOT;
    if (uids.count > 0)
        sight = find_strays(r, uids.items, uids.count, registers, &s);
    const int why = errno;
    *ret_count = strays_sure(&s, registers ? STRAY_GOING_MS : 0);
    strays_release(&s);
    free(uids.items);
    errno = why;
    return sight;
}

/* ---- ending ---- */

/* Why one was not even asked to go; NULL: it was. */
static const char *why_not_asked(enum ladder_state state, const struct session *s)
{
    switch (state) {
    case LADDER_CLIMBING:
    case LADDER_GONE:
        return NULL;
    case LADDER_FAILED:
        return s->sight == SESSION_UNSEEN ? session_unseen_reason(s->unseen_why)
                                          : "not permitted, or /proc does not show its processes";
    case LADDER_NO_ROOM:
        return "no descriptors or memory are left: see 'ulimit -n'";
    }
    return NULL;
}

/* Those that are gone leave the list, and the registry. */
static int end_list(struct ctl *ctl, const struct registry *r, struct session_list *list,
                    int64_t deadline_ms, size_t *ended)
{
    struct buf pids = {0}, not_asked = {0};
    int code = EXIT_DONE;
    size_t up = 0, kept = 0;
    const char *why = NULL;
    enum ladder_state *states = calloc(list->count + 1, sizeof(*states));
    if (states == NULL || ladder_end_all(list, deadline_ms, states) == SIZE_MAX) {
        free(states);
        return ctl_error(ctl, EXIT_FAILED, "out of memory");
    }
    const int64_t clear_until_ms = clock_monotonic_ms() + LIVE_CLEAR_MS;
    for (size_t i = 0; i < list->count; i++) {
        const struct session *s = &list->items[i];
        if (states[i] == LADDER_GONE) {
            registry_remove_ended(r, s, false, clear_until_ms);
            (*ended)++;
        } else if (why_not_asked(states[i], s) != NULL) {
            why = why_not_asked(states[i], s);
            add_pid(&not_asked, kept++, s->pid);
        } else {
            add_pid(&pids, up++, s->pid);
        }
    }
    free(states);
    if (up > 0)
        code = ctl_error(ctl, EXIT_STILL_UP,
                         "still up after %d s: %zu session%s (pid%s%s); the next login is refused",
                         END_MS / 1000, up, up == 1 ? "" : "s", up == 1 ? "" : "s", shown(&pids));
    if (kept > 0)
        code = ctl_error(ctl, EXIT_STILL_UP,
                         "cannot end %zu session%s (pid%s%s): %s; the next login is refused", kept,
                         kept == 1 ? "" : "s", kept == 1 ? "" : "s", shown(&not_asked), why);
    buf_release(&not_asked);
    buf_release(&pids);
    return code;
}

int live_end(struct ctl *ctl, struct session_list *list)
{
    struct registry r = REGISTRY_CLOSED;
    size_t ended = 0;
    int64_t start_ms = clock_monotonic_ms();
    int code = live_open(ctl, true, &r);
    if (code == EXIT_DONE)
        code = end_list(ctl, &r, list, start_ms + END_MS, &ended);
    say_ended(ctl, ended, clock_monotonic_ms() - start_ms);
    registry_close(&r);
    session_list_release(list);
    return code;
}

struct enforcement {
    struct ctl *ctl;
    const struct live_scope *scope;
    struct registry registry;
    int64_t start_ms;
    uint64_t changed_ticks;  /* when the change was there for every reader */
    int64_t leased_until_ms; /* leased runs, and is left to act until then; 0: it does not */
    size_t outlawed;         /* sessions that leased was left */
    size_t ended;
    bool opening; /* out: a login in scope is still being judged */
    bool waiting; /* out: leased has not ended all of them yet */
};

static bool in_scope(void *arg, const struct session *s)
{
    const struct live_scope *scope = arg;
    if (scope->login != NULL && strcmp(scope->login, s->login) != 0)
        return false;
    if (scope->lease == NULL)
        return true;
    if (s->open)
        return s->lease_id == scope->lease->id;
    if (strcmp(scope->lease->login, s->login) != 0)
        return false;
    for (size_t i = 0; i < scope->lease->key_count; i++)
        if (strcmp(scope->lease->keys[i].pub.fingerprint, s->fingerprint) == 0)
            return true;
    return false;
}

/*
 * sshd took the permits from akc before the session was registered. Who was on the way in when they
 * were narrowed may hold the old ones, though its entry has the new. Who has no entry yet is turned
 * away by the note (lib/session/narrowed.h).
 */
static bool was_on_its_way(const struct enforcement *e, const struct session *s)
{
    return e->scope->narrowed && s->open && s->start_ticks <= e->changed_ticks &&
           (s->since_s + OPENING_S >= e->scope->begun_s || s->opens == NULL);
}

static uint64_t ticks_per_s(void)
{
    return (uint64_t)sysconf(_SC_CLK_TCK);
}

static uint64_t now_ticks(void)
{
    struct process self;
    uint64_t ticks = (uint64_t)clock_boot_ms() * ticks_per_s() / 1000;
    /* In a time namespace (time_namespaces(7)) /proc counts from another boot. */
    if (process_read(getpid(), &self) == SIGHT_IS && self.start_ticks > ticks)
        ticks = self.start_ticks;
    return ticks;
}

/* One look: what is in scope, judged; what may not stay, ended. */
static int enforce_once(struct enforcement *e)
{
    struct session_list all = {0}, list = {0};
    enum session_verdict *verdicts = NULL;
    struct ctl *ctl = e->ctl;
    int code = EXIT_DONE;

    e->opening = e->waiting = false;
    if (e->registry.sessions_fd < 0) /* no RunDir, so no session was ever registered */
        return EXIT_DONE;
    if (registry_read(&e->registry, e->scope->lease != NULL ? e->scope->lease->id : 0, &all) != 0)
        return ctl_error(ctl, EXIT_FAILED, "cannot read the session registry '%s/sessions': %s",
                         ctl->conf.paths.run_dir, strerror(errno));
    list = all;
    session_list_filter(&list, in_scope, (void *)(uintptr_t)e->scope);
    if (list.count == 0) {
        e->ended += e->outlawed;
        e->outlawed = 0;
        goto out;
    }
    verdicts = calloc(list.count, sizeof(*verdicts));
    if (verdicts == NULL) {
        code = ctl_error(ctl, EXIT_FAILED, "out of memory");
        goto out;
    }
    code = ctl_open_read(ctl);
    if (code != EXIT_DONE)
        goto out;
    enum store_rc rc = store_judge_sessions(ctl->store, &list, clock_now_s(), verdicts, NULL);
    if (rc != STORE_OK)
        code = ctl_store_error(ctl, rc);
    ctl_close(ctl);
    if (code != EXIT_DONE)
        goto out;
    size_t ending = 0;
    for (size_t i = 0; i < list.count; i++) {
        struct session *s = &list.items[i];
        bool stays = verdicts[i] == SESSION_ALLOWED && !was_on_its_way(e, s);
        e->opening = e->opening || (stays && !s->open);
        if (stays)
            session_release(s);
        else
            list.items[ending++] = *s;
    }
    list.count = ending;
    if (ending > e->outlawed && clock_monotonic_ms() < e->leased_until_ms)
        e->outlawed = ending;
    e->waiting = ending > 0 && clock_monotonic_ms() < e->leased_until_ms;
    if (e->waiting)
        goto out;
    if (e->outlawed > ending) /* what leased has ended */
        e->ended += e->outlawed - ending;
    e->outlawed = 0;
    if (ending > 0)
        code = end_list(ctl, &e->registry, &list, e->start_ms + END_MS, &e->ended);
out:
    free(verdicts);
    session_list_release(&list);
    return code;
}

static int report_login(void *arg, const char *login)
{
    struct enforcement *e = arg;
    struct session_list all = {0};
    if (e->registry.sessions_fd >= 0 && registry_read(&e->registry, 0, &all) != 0)
        return 0;
    (void)registry_clear(&e->registry, &all, clock_monotonic_ms() + LIVE_CLEAR_MS);
    session_list_release(&all);
    return report_unregistered(e->ctl, &e->registry, login);
}

/* False: it could not be noted, which is said. */
static bool note_narrowed(struct enforcement *e)
{
    const struct live_scope *scope = e->scope;
    if (!scope->narrowed || e->registry.sessions_fd < 0 ||
        narrowed_note(&e->registry, scope->lease->id, e->changed_ticks, e->start_ms + OPENING_MS) ==
            0)
        return true;
    (void)ctl_error(e->ctl, EXIT_STILL_UP,
                    "cannot write to '%s/lock': %s; a login that is on its way now may still get "
                    "the old permits",
                    e->ctl->conf.paths.run_dir, strerror(errno));
    return false;
}

int live_enforce(struct ctl *ctl, const struct live_scope *scope)
{
    struct enforcement e = {.ctl = ctl,
                            .scope = scope,
                            .registry = REGISTRY_CLOSED,
                            .start_ms = clock_monotonic_ms(),
                            .changed_ticks = now_ticks()};
    ctl_close(ctl);
    if (ctl_leased_runs(ctl))
        e.leased_until_ms = e.start_ms + LEASED_MS;
    int code = EXIT_DONE;
    if (geteuid() == 0) /* for the note of what was narrowed: a login may be on its way */
        (void)run_dir_make(ctl->conf.paths.run_dir);
    if (access(ctl->conf.paths.run_dir, F_OK) == 0 || errno != ENOENT)
        code = live_open(ctl, true, &e.registry);
    if (code != EXIT_DONE) /* the change is made; what is live is not known to be gone */
        return EXIT_STILL_UP;
    bool noted = note_narrowed(&e);
    for (;;) {
        code = enforce_once(&e);
        if (code != EXIT_DONE ||
            !(e.waiting || (e.opening && clock_monotonic_ms() < e.start_ms + OPENING_MS)))
            break;
        (void)poll(NULL, 0, e.waiting ? LEASED_LOOK_MS : LOOK_AGAIN_MS);
    }
    say_ended(ctl, e.ended, clock_monotonic_ms() - e.start_ms);
    if (scope->narrowed) /* who logs in after this returns has not begun in the noted tick */
        (void)poll(NULL, 0, (int)(1000 / ticks_per_s()) + 1);
    const char *login = scope->lease != NULL ? scope->lease->login : scope->login;
    if (code == EXIT_DONE)
        code = login != NULL ? report_login(&e, login)
                             : account_each(ctl->conf.tunnel_group, report_login, &e);
    registry_close(&e.registry);
    return code == EXIT_DONE && !noted ? EXIT_STILL_UP : code;
}

int live_new_holder(struct ctl *ctl, const struct lease *l, const char *fingerprint,
                    int64_t begun_s)
{
    const struct live_scope scope = {.lease = l, .narrowed = true, .begun_s = begun_s};
    enum store_rc rc = store_key_was_held(ctl->store, l->login, fingerprint);
    if (rc == STORE_NONE)
        return EXIT_DONE;
    return rc == STORE_OK ? live_enforce(ctl, &scope) : ctl_store_error(ctl, rc);
}

void live_forget(struct ctl *ctl, int64_t lease_id)
{
    struct registry r;
    if (registry_open(ctl->conf.paths.run_dir, true, &r) != 0)
        return;
    registry_forget(&r, lease_id);
    registry_close(&r);
}

/* ---- counting ---- */

int64_t live_count(struct ctl *ctl, int64_t lease_id)
{
    static struct session_list all;
    static enum { NOT_READ, READ, UNKNOWN } state;
    int64_t count = 0;
    struct registry r;
    if (state == NOT_READ) {
        state = UNKNOWN;
        if (registry_open(ctl->conf.paths.run_dir, false, &r) == 0) {
            if (registry_read(&r, 0, &all) == 0)
                state = READ;
            registry_close(&r);
        }
    }
    if (state == UNKNOWN)
        return -1;
    for (size_t i = 0; i < all.count; i++)
        count += all.items[i].open && all.items[i].lease_id == lease_id;
    return count;
}
