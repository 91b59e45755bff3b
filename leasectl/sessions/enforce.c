/* SPDX-License-Identifier: ISC */
#include "leasectl/sessions/enforce.h"

#include "leasectl/ctl_store.h"
#include "leasectl/host/account.h"
#include "leasectl/sessions/ending.h"
#include "leasectl/sessions/registry.h"
#include "leasectl/sessions/unregistered.h"
#include "lib/base/clock.h"
#include "lib/session/narrowed.h"
#include "lib/session/process.h"
#include "lib/session/registry_read.h"
#include "lib/session/registry_remove.h"
#include "lib/session/run_dir.h"
#include "lib/store/login.h"
#include "lib/store/session_verdict.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    OPENING_MS = 1500, /* pam_tunnel's second, and some more */
    OPENING_S = 2,     /* the same, in times of whole seconds */
    POLL_MS = 20,
    /* Two SIGTERMs would interrupt what other modules do in close_session (docs/sshd-facts.md 3): a
     * running leased is left to send its own. */
    LEASED_MS = 200,
    LEASED_POLL_MS = 5,
};

struct enforcement {
    struct ctl *ctl;
    const struct enforce_scope *scope;
    struct registry registry;
    int64_t start_ms;
    uint64_t changed_ticks;  /* when the change was there for every reader */
    int64_t leased_until_ms; /* leased runs, and is left to act until then; 0: it does not */
    size_t left_to_leased;   /* sessions that leased was left */
    size_t ended;
    bool has_opening;      /* out: a login in scope is still being judged */
    bool leased_is_ending; /* out: leased has not ended all of them yet */
};

static bool in_scope(void *arg, const struct session *s)
{
    const struct enforce_scope *scope = arg;
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
static bool may_hold_old_permits(const struct enforcement *e, const struct session *s)
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

/* By the store as it is now. */
static int judge_sessions(const struct enforcement *e, struct session_list *list,
                          enum session_verdict *verdicts)
{
    struct ctl *ctl = e->ctl;
    int code = ctl_open_read(ctl);
    if (code != EXIT_DONE)
        return code;
    enum store_rc rc = store_judge_sessions(ctl->store, list, clock_now_s(), verdicts, NULL);
    if (rc != STORE_OK)
        code = ctl_store_error(ctl, rc);
    ctl_close(ctl);
    return code;
}

/* Leaves in the list those that may not stay. */
static void remove_allowed(struct enforcement *e, struct session_list *list,
                           const enum session_verdict *verdicts)
{
    size_t ending = 0;
    for (size_t i = 0; i < list->count; i++) {
        struct session *s = &list->items[i];
        bool stays = verdicts[i] == SESSION_ALLOWED && !may_hold_old_permits(e, s);
        e->has_opening = e->has_opening || (stays && !s->open);
        if (stays)
            session_release(s);
        else
            list->items[ending++] = *s;
    }
    list->count = ending;
}

/* One look: what is in scope, judged; what may not stay, ended. */
static int enforce_once(struct enforcement *e)
{
    struct session_list all = {0}, list = {0};
    enum session_verdict *verdicts = NULL;
    struct ctl *ctl = e->ctl;
    int code = EXIT_DONE;

    e->has_opening = e->leased_is_ending = false;
    if (e->registry.sessions_fd < 0) /* no RunDir, so no session was ever registered */
        return EXIT_DONE;
    if (registry_read(&e->registry, e->scope->lease != NULL ? e->scope->lease->id : 0, &all) != 0)
        return ctl_error(ctl, EXIT_FAILED, "cannot read the session registry '%s/sessions': %s",
                         ctl->conf.paths.run_dir, strerror(errno));
    list = all;
    session_list_filter(&list, in_scope, (void *)(uintptr_t)e->scope);
    if (list.count == 0) {
        e->ended += e->left_to_leased;
        e->left_to_leased = 0;
        goto out;
    }
    verdicts = calloc(list.count, sizeof(*verdicts));
    if (verdicts == NULL) {
        code = ctl_error(ctl, EXIT_FAILED, "out of memory");
        goto out;
    }
    code = judge_sessions(e, &list, verdicts);
    if (code != EXIT_DONE)
        goto out;
    remove_allowed(e, &list, verdicts);
    const size_t ending = list.count;
    if (ending > e->left_to_leased && clock_monotonic_ms() < e->leased_until_ms)
        e->left_to_leased = ending;
    e->leased_is_ending = ending > 0 && clock_monotonic_ms() < e->leased_until_ms;
    if (e->leased_is_ending)
        goto out;
    if (e->left_to_leased > ending) /* what leased has ended */
        e->ended += e->left_to_leased - ending;
    e->left_to_leased = 0;
    if (ending > 0)
        code = sessions_end_by(ctl, &e->registry, &list, e->start_ms + SESSIONS_END_MS, &e->ended);
out:
    free(verdicts);
    session_list_release(&list);
    return code;
}

static int report_unregistered(void *arg, const char *login)
{
    struct enforcement *e = arg;
    struct session_list all = {0};
    if (e->registry.sessions_fd >= 0 && registry_read(&e->registry, 0, &all) != 0)
        return 0;
    (void)registry_remove_dead(&e->registry, &all, clock_monotonic_ms() + SESSIONS_CLEAR_MS);
    session_list_release(&all);
    return sessions_report_unregistered(e->ctl, &e->registry, login);
}

/* False: it could not be recorded, which is said. */
static bool record_narrowing(struct enforcement *e)
{
    const struct enforce_scope *scope = e->scope;
    if (!scope->narrowed || e->registry.sessions_fd < 0 ||
        narrowed_record(&e->registry, scope->lease->id, e->changed_ticks,
                        e->start_ms + OPENING_MS) == 0)
        return true;
    (void)ctl_error(e->ctl, EXIT_STILL_UP,
                    "cannot write to '%s/lock': %s; a login that is on its way now may still get "
                    "the old permits",
                    e->ctl->conf.paths.run_dir, strerror(errno));
    return false;
}

int sessions_enforce(struct ctl *ctl, const struct enforce_scope *scope)
{
    struct enforcement e = {.ctl = ctl,
                            .scope = scope,
                            .registry = REGISTRY_CLOSED,
                            .start_ms = clock_monotonic_ms(),
                            .changed_ticks = now_ticks()};
    ctl_close(ctl);
    if (ctl_leased_is_running(ctl))
        e.leased_until_ms = e.start_ms + LEASED_MS;
    int code = EXIT_DONE;
    if (geteuid() == 0) /* for the note of what was narrowed: a login may be on its way */
        (void)run_dir_make(ctl->conf.paths.run_dir);
    if (access(ctl->conf.paths.run_dir, F_OK) == 0 || errno != ENOENT)
        code = sessions_open_registry(ctl, true, &e.registry);
    if (code != EXIT_DONE) /* the change is made; what is live is not known to be gone */
        return EXIT_STILL_UP;
    bool recorded = record_narrowing(&e);
    for (;;) {
        code = enforce_once(&e);
        if (code != EXIT_DONE ||
            !(e.leased_is_ending ||
              (e.has_opening && clock_monotonic_ms() < e.start_ms + OPENING_MS)))
            break;
        (void)poll(NULL, 0, e.leased_is_ending ? LEASED_POLL_MS : POLL_MS);
    }
    sessions_report_ended(ctl, e.ended, clock_monotonic_ms() - e.start_ms);
    if (scope->narrowed) /* who logs in after this returns has not begun in the recorded tick */
        (void)poll(NULL, 0, (int)(1000 / ticks_per_s()) + 1);
    const char *login = scope->lease != NULL ? scope->lease->login : scope->login;
    if (code == EXIT_DONE)
        code = login != NULL ? report_unregistered(&e, login)
                             : account_each(ctl->conf.tunnel_group, report_unregistered, &e);
    registry_close(&e.registry);
    return code == EXIT_DONE && !recorded ? EXIT_STILL_UP : code;
}

int sessions_enforce_new_key(struct ctl *ctl, const struct lease *l, const char *fingerprint,
                             int64_t begun_s)
{
    const struct enforce_scope scope = {.lease = l, .narrowed = true, .begun_s = begun_s};
    enum store_rc rc = store_key_was_held(ctl->store, l->login, fingerprint);
    if (rc == STORE_NONE)
        return EXIT_DONE;
    return rc == STORE_OK ? sessions_enforce(ctl, &scope) : ctl_store_error(ctl, rc);
}
