/* SPDX-License-Identifier: ISC */
#include "leasectl/sessions/enforce.h"

#include "leasectl/ctl_store.h"
#include "leasectl/host/account.h"
#include "leasectl/sessions/ending.h"
#include "leasectl/sessions/registry.h"
#include "leasectl/sessions/unregistered.h"
#include "lib/base/clock.h"
#include "lib/session/narrowed.h"
#include "lib/session/registry_read.h"
#include "lib/session/registry_remove.h"
#include "lib/session/run_dir.h"
#include "lib/store/login.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    OPENING_MS = 1500, /* how long pam_tunnel judges a login: its second, and some more */
    POLL_MS = 20,
    /*
     * A second SIGTERM would interrupt what other PAM modules do in close_session
     * (docs/sshd-facts.md 3). So a running leased gets this time to send its own, before we send
     * one; and where there are many, a millisecond more for each four, and the same again whenever
     * it has ended some.
     */
    LEASED_MS = 200,
    SESSIONS_A_LEASED_MS = 4,
    /* A look reads the registry: for many, less often, since it takes the processor from them. */
    LEASED_POLL_MS = 5,
    SESSIONS_A_POLL_MS = 20,
};

struct enforcement {
    struct ctl *ctl;
    const struct enforce_scope *scope;
    struct registry registry;
    int64_t start_ms;
    uint64_t changed_ticks;  /* by then every reader saw the change */
    int64_t leased_until_ms; /* until then a running leased may end them itself; 0: none runs */
    size_t left_to_leased;   /* sessions that leased was left to end, at most at a time */
    size_t last_left;        /* and at the last look */
    size_t ended;
    bool has_opening;      /* out: a login in scope has an entry that is still opening */
    bool leased_is_ending; /* out: leased has time left, and has not ended all of them */
};

static uint64_t ticks_per_s(void)
{
    return (uint64_t)sysconf(_SC_CLK_TCK);
}

/* Judges the sessions by the store as it is now. */
static int judge_sessions(struct enforcement *e, struct session_list *list, struct affected *ret)
{
    int code = ctl_open_read(e->ctl);
    if (code != EXIT_DONE)
        return code;
    code = affected_judge(e->ctl, e->scope, e->changed_ticks, list, ret);
    ctl_close(e->ctl);
    return code;
}

/* Whether leased may go on alone: it has time left, which it gets anew while it ends some. */
static bool leased_may_end(struct enforcement *e, size_t ending)
{
    const int64_t now_ms = clock_monotonic_ms();
    if (e->leased_until_ms == 0 || ending == 0)
        return false;
    if (e->last_left == 0 || (ending < e->last_left && now_ms < e->leased_until_ms))
        e->leased_until_ms = now_ms + LEASED_MS + (int64_t)ending / SESSIONS_A_LEASED_MS;
    e->last_left = ending;
    return now_ms < e->leased_until_ms && now_ms < e->start_ms + SESSIONS_END_MS;
}

/* Reads the registry once, judges what is in scope, and ends what may not stay. */
static int enforce_once(struct enforcement *e)
{
    struct session_list list = {.items = NULL};
    struct affected affected = {.verdicts = NULL};
    struct ctl *ctl = e->ctl;
    int code = EXIT_DONE;

    e->has_opening = e->leased_is_ending = false;
    if (e->registry.sessions_fd < 0) /* no RunDir, so no session was ever registered */
        return EXIT_DONE;
    if (registry_read(&e->registry, affected_lease_id(e->scope), &list) != 0)
        return ctl_error(ctl, EXIT_FAILED, "cannot read the session registry '%s/sessions': %s",
                         ctl->conf.paths.run_dir, strerror(errno));
    affected_filter(e->scope, &list);
    if (list.count > 0)
        code = judge_sessions(e, &list, &affected);
    if (code != EXIT_DONE)
        goto out;
    e->has_opening = affected.has_opening;
    const size_t ending = affected.ending.count;
    e->leased_is_ending = leased_may_end(e, ending);
    if (e->leased_is_ending && ending > e->left_to_leased)
        e->left_to_leased = ending;
    if (e->leased_is_ending)
        goto out;
    if (e->left_to_leased > ending) /* what leased has ended */
        e->ended += e->left_to_leased - ending;
    e->left_to_leased = 0;
    if (ending > 0)
        code = sessions_end_by(ctl, &e->registry, &affected.ending, e->start_ms + SESSIONS_END_MS,
                               &e->ended);
out:
    affected_release(&affected);
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

static bool is_login_of_one_before(const struct enforce_scope *scope, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(scope->lease[i].login, scope->lease[index].login) == 0)
            return true;
    return false;
}

/* Of each login in scope. */
static int report_all_unregistered(struct enforcement *e)
{
    const struct enforce_scope *scope = e->scope;
    int code = EXIT_DONE;
    if (scope->lease == NULL && scope->login == NULL)
        return account_each(e->ctl->conf.tunnel_group, report_unregistered, e);
    if (scope->lease == NULL)
        return report_unregistered(e, scope->login);
    for (size_t i = 0; i < affected_lease_count(scope); i++)
        if (!is_login_of_one_before(scope, i)) {
            int reported = report_unregistered(e, scope->lease[i].login);
            code = code == EXIT_DONE ? reported : code;
        }
    return code;
}

/* False: it could not be recorded, and the error was printed. */
static bool record_narrowing(struct enforcement *e)
{
    const struct enforce_scope *scope = e->scope;
    const int64_t one = scope->lease != NULL ? scope->lease->id : 0;
    const int64_t *ids = scope->lease != NULL ? &one : scope->narrowed_ids;
    const size_t count = scope->lease != NULL ? 1 : scope->narrowed_id_count;
    if (!scope->narrowed || e->registry.sessions_fd < 0)
        return true;
    size_t i = 0;
    while (i < count &&
           narrowed_record(&e->registry, ids[i], e->changed_ticks, e->start_ms + OPENING_MS) == 0)
        i++;
    if (i == count)
        return true;
    (void)ctl_error(e->ctl, EXIT_STILL_UP,
                    "cannot write to '%s/lock': %s; a login that is on its way now may still get "
                    "the old permits",
                    e->ctl->conf.paths.run_dir, strerror(errno));
    return false;
}

static int leased_poll_ms(const struct enforcement *e)
{
    return LEASED_POLL_MS + (int)(e->last_left / SESSIONS_A_POLL_MS);
}

int sessions_enforce(struct ctl *ctl, const struct enforce_scope *scope)
{
    struct enforcement e = {.ctl = ctl,
                            .scope = scope,
                            .registry = REGISTRY_CLOSED,
                            .start_ms = clock_monotonic_ms(),
                            .changed_ticks = affected_now_ticks()};
    ctl_close(ctl);
    if (ctl_leased_is_running(ctl))
        e.leased_until_ms = e.start_ms + LEASED_MS;
    int code = EXIT_DONE;
    /* The record of what was narrowed needs a place, though the first login is still under way. */
    if (geteuid() == 0)
        (void)run_dir_make(ctl->conf.paths.run_dir);
    if (access(ctl->conf.paths.run_dir, F_OK) == 0 || errno != ENOENT)
        code = sessions_open_registry(ctl, true, &e.registry);
    if (code != EXIT_DONE) /* the change is made, but sessions may still be up */
        return EXIT_STILL_UP;
    bool recorded = record_narrowing(&e);
    for (;;) {
        code = enforce_once(&e);
        if (code != EXIT_DONE ||
            !(e.leased_is_ending ||
              (e.has_opening && clock_monotonic_ms() < e.start_ms + OPENING_MS)))
            break;
        (void)poll(NULL, 0, e.leased_is_ending ? leased_poll_ms(&e) : POLL_MS);
    }
    sessions_report_ended(ctl, e.ended, clock_monotonic_ms() - e.start_ms);
    /* A login that begins after our return must begin in a later tick than the recorded one. */
    if (scope->narrowed)
        (void)poll(NULL, 0, (int)(1000 / ticks_per_s()) + 1);
    if (code == EXIT_DONE)
        code = report_all_unregistered(&e);
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
