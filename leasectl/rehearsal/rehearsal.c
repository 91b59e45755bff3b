/* SPDX-License-Identifier: ISC */
#include "leasectl/rehearsal/rehearsal.h"

#include "leasectl/ctl_store.h"
#include "leasectl/host/account.h"
#include "leasectl/rehearsal/forecast.h"
#include "leasectl/rehearsal/own.h"
#include "leasectl/sessions/own_connection.h"
#include "leasectl/sessions/pids.h"
#include "leasectl/sessions/registry.h"
#include "leasectl/sessions/unregistered.h"
#include "leasectl/show/lease.h"
#include "lib/base/array.h"
#include "lib/base/clock.h"
#include "lib/session/registry_read.h"
#include "lib/store/leases.h"
#include "lib/store/transaction.h"

#include <bsd/string.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct rehearsal {
    struct ctl *ctl;
    struct forecast f;
    size_t ending_room, reason_room;
    int64_t begun_s;
};

bool rehearsal_take_option(struct rehearsal_options *o, int opt)
{
    o->dry_run = o->dry_run || opt == 'D';
    o->yes = o->yes || opt == 'Y';
    return opt == 'D' || opt == 'Y';
}

enum store_rc rehearsal_commit(struct ctl *ctl)
{
    return ctl->rehearsal == NULL ? store_commit(ctl->store) : STORE_OK;
}

/* ---- the changes ---- */

static struct found_change *add_change(struct rehearsal *r, const char *what)
{
    struct found_change *items =
        array_grow(r->f.changes, r->f.change_count, &r->f.change_room, sizeof(*items), SIZE_MAX);
    if (items == NULL)
        return NULL;
    r->f.changes = items;
    r->f.changes[r->f.change_count] = (struct found_change){.what = what};
    return &r->f.changes[r->f.change_count++];
}

static void describe_open(const struct lease *l, struct buf *out)
{
    lease_open_format(l, out);
}

static void describe_listen(const struct lease *l, struct buf *out)
{
    permit_list_format(&l->listen, out);
}

static void describe_from(const struct lease *l, struct buf *out)
{
    source_list_format(&l->from, out);
    if (l->from.count == 0)
        buf_add(out, "anywhere");
}

static void describe_max_sessions(const struct lease *l, struct buf *out)
{
    if (l->max_sessions == 0)
        buf_add(out, "no limit");
    else
        buf_addf(out, "%u", l->max_sessions);
}

static void describe_note(const struct lease *l, struct buf *out)
{
    buf_add(out, l->note);
}

/* A line for each term that differs. */
static void compare_terms(const struct lease *before, const struct lease *after, struct buf *out)
{
    static const struct {
        const char *name;
        void (*describe)(const struct lease *l, struct buf *out);
    } terms[] = {{"open", describe_open},
                 {"listen", describe_listen},
                 {"from", describe_from},
                 {"max-sessions", describe_max_sessions},
                 {"note", describe_note}};
    for (size_t i = 0; i < sizeof(terms) / sizeof(terms[0]); i++) {
        struct buf was = {0}, is = {0};
        terms[i].describe(before, &was);
        terms[i].describe(after, &is);
        const char *a = buf_text(&was), *b = buf_text(&is);
        if (a != NULL && b != NULL && strcmp(a, b) != 0)
            buf_addf(out, "%s: %s -> %s\n", terms[i].name, *a != '\0' ? a : "none",
                     *b != '\0' ? b : "none");
        buf_release(&was);
        buf_release(&is);
    }
}

int rehearsal_note_lease(struct ctl *ctl, const char *what, const struct lease *before,
                         const char *detail)
{
    struct rehearsal *r = ctl->rehearsal;
    struct lease after = {.id = 0};
    int code = EXIT_DONE;
    if (r == NULL)
        return EXIT_DONE;
    struct found_change *c = add_change(r, what);
    enum store_rc rc = store_lease_by_id(ctl->store, before->id, &after);
    if (rc != STORE_OK && rc != STORE_NONE)
        return ctl_store_error(ctl, rc);
    if (c == NULL)
        goto no_memory;
    c->lease_id = before->id;
    (void)strlcpy(c->lease, before->name, sizeof(c->lease));
    (void)strlcpy(c->login, before->login, sizeof(c->login));
    if (detail[0] != '\0')
        buf_addf(&c->details, "%s\n", detail);
    if (rc == STORE_OK)
        compare_terms(before, &after, &c->details);
    if (!c->details.failed && lease_to_json(ctl, before, &c->before) == 0 &&
        (rc == STORE_NONE || lease_to_json(ctl, &after, &c->after) == 0))
        goto out;
no_memory:
    code = ctl_error(ctl, EXIT_FAILED, "out of memory");
out:
    lease_release(&after);
    return code;
}

static int count_lease(void *arg, const struct lease *l)
{
    (void)l;
    (*(size_t *)arg)++;
    return 0;
}

int rehearsal_note_freeze(struct ctl *ctl, const char *login, bool already)
{
    struct rehearsal *r = ctl->rehearsal;
    struct store_filter filter = {.now_s = ctl->now_s, .before_s = INT64_MAX};
    size_t leases = 0;
    if (r == NULL)
        return EXIT_DONE;
    struct found_change *c = add_change(r, "freeze");
    if (c == NULL)
        return ctl_error(ctl, EXIT_FAILED, "out of memory");
    (void)strlcpy(c->login, login, sizeof(c->login));
    filter.login = strcmp(login, "*") == 0 ? NULL : login;
    enum store_rc rc = store_lease_list(ctl->store, &filter, count_lease, &leases);
    if (rc != STORE_OK)
        return ctl_store_error(ctl, rc);
    buf_addf(&c->details, "%s%zu active lease%s would let nobody in\n",
             already ? "frozen already: " : "", leases, leases == 1 ? "" : "s");
    return EXIT_DONE;
}

int rehearsal_note_restored(struct ctl *ctl, const char *what, int64_t id, const char *name,
                            const char *login, const char *detail)
{
    struct found_change *c = add_change(ctl->rehearsal, what);
    if (c == NULL)
        return ctl_error(ctl, EXIT_FAILED, "out of memory");
    c->lease_id = id;
    (void)strlcpy(c->lease, name, sizeof(c->lease));
    (void)strlcpy(c->login, login, sizeof(c->login));
    buf_addf(&c->details, "%s\n", detail);
    return EXIT_DONE;
}

/* ---- the sessions ---- */

static int add_ending(struct rehearsal *r, struct session *s, const char *reason)
{
    struct forecast *f = &r->f;
    for (size_t i = 0; i < f->ending.count; i++)
        if (f->ending.items[i].pid == s->pid) { /* of two leases of one command */
            session_release(s);
            return EXIT_DONE;
        }
    struct session *items =
        array_grow(f->ending.items, f->ending.count, &r->ending_room, sizeof(*items), SIZE_MAX);
    f->ending.items = items != NULL ? items : f->ending.items;
    const char **reasons = array_grow((void *)(uintptr_t)f->reasons, f->ending.count,
                                      &r->reason_room, sizeof(*reasons), SIZE_MAX);
    f->reasons = reasons != NULL ? reasons : f->reasons;
    if (items == NULL || reasons == NULL)
        return ctl_error(r->ctl, EXIT_FAILED, "out of memory");
    f->reasons[f->ending.count] = reason;
    f->ending.items[f->ending.count++] = *s;
    *s = (struct session){.pid = 0};
    return EXIT_DONE;
}

int rehearsal_judge(struct ctl *ctl, const struct enforce_scope *scope)
{
    struct rehearsal *r = ctl->rehearsal;
    struct session_list list = {.items = NULL};
    struct affected affected = {.verdicts = NULL};
    if (r == NULL || !r->f.sessions_known)
        return EXIT_DONE;
    if (session_list_copy(&r->f.live, &list) != 0)
        return ctl_error(ctl, EXIT_FAILED, "out of memory");
    affected_filter(scope, &list);
    int code = affected_judge(ctl, scope, affected_now_ticks(), &list, &affected);
    for (size_t i = 0; code == EXIT_DONE && i < affected.ending.count; i++)
        code = add_ending(r, &affected.ending.items[i], session_verdict_name(affected.verdicts[i]));
    affected_release(&affected);
    session_list_release(&list);
    return code;
}

int rehearsal_take(struct ctl *ctl, struct session_list *list)
{
    int code = EXIT_DONE;
    for (size_t i = 0; code == EXIT_DONE && i < list->count; i++)
        code = add_ending(ctl->rehearsal, &list->items[i], "killed");
    session_list_release(list);
    return code;
}

/* Reads what is live, as root, before the store is opened and root becomes its owner. */
static void read_live(struct rehearsal *r)
{
    const char *run_dir = r->ctl->conf.paths.run_dir;
    struct registry registry = REGISTRY_CLOSED;
    (void)sessions_count(r->ctl, 0); /* for the JSON of leases */
    if (access(run_dir, F_OK) != 0 && errno == ENOENT) {
        r->f.sessions_known = true; /* no session was ever registered */
        return;
    }
    if (registry_open(run_dir, false, &registry) == 0 &&
        registry_read(&registry, 0, &r->f.live) == 0)
        r->f.sessions_known = true;
    else
        buf_addf(&r->f.unknown,
                 "which sessions would end: the session registry '%s/sessions' cannot be read: "
                 "%s\n",
                 run_dir, errno == EPERM ? "it is not safe (leasectl doctor)" : strerror(errno));
    registry_close(&registry);
}

static void read_sockets(struct rehearsal *r)
{
    struct forecast *f = &r->f;
    if (!f->sessions_known || f->ending.count == 0)
        return;
    if (sockets_read(&f->live, &f->sockets) != 0)
        buf_addf(&f->unknown, "who uses the forwards: the table of sockets cannot be read: %s\n",
                 strerror(errno));
    else if (f->sockets.unseen > 0)
        buf_addf(&f->unknown, "who uses the forwards of %zu session%s: %s\n", f->sockets.unseen,
                 f->sockets.unseen == 1 ? "" : "s",
                 geteuid() != 0       ? "only root sees that"
                 : f->live.unseen > 0 ? session_unseen_reason(f->live.unseen_why)
                                      : "their processes in /proc cannot be read");
}

/* ---- connections that no registry entry names ---- */

struct unregistered {
    struct rehearsal *r;
    struct registry registry;
};

static int note_unregistered(void *arg, const char *login)
{
    struct unregistered *u = arg;
    struct buf pids = {0};
    size_t count;
    enum sight sight = sessions_find_unregistered(u->r->ctl, &u->registry, login, &pids, &count);
    if (sight == SIGHT_IS)
        buf_addf(&u->r->f.unregistered, "%s\t%s\n", login, pids_text(&pids) + 1);
    else if (sight == SIGHT_CANNOT_TELL)
        buf_addf(&u->r->f.unknown,
                 "whether login '%s' has connections that were not made through pam_tunnel: %s\n",
                 login, session_unseen_reason(errno));
    buf_release(&pids);
    return 0;
}

static bool was_seen_before(const struct forecast *f, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(f->changes[k].login, f->changes[i].login) == 0)
            return true;
    return false;
}

static void find_unregistered(struct rehearsal *r)
{
    struct unregistered u = {.r = r, .registry = REGISTRY_CLOSED};
    if (!r->f.sessions_known || registry_open(r->ctl->conf.paths.run_dir, false, &u.registry) != 0)
        return;
    for (size_t i = 0; i < r->f.change_count; i++)
        if (strcmp(r->f.changes[i].login, "*") == 0)
            (void)account_each(r->ctl->conf.tunnel_group, note_unregistered, &u);
        else if (!was_seen_before(&r->f, i))
            (void)note_unregistered(&u, r->f.changes[i].login);
    registry_close(&u.registry);
}

/* ---- the admin's own connection ---- */

static void find_own(struct rehearsal *r, const struct own_connection *own, enum sight sight)
{
    struct forecast *f = &r->f;
    bool *of_live = NULL;
    f->own_sight = SIGHT_IS_NOT;
    f->own = calloc(f->ending.count + 1, sizeof(*f->own));
    of_live = calloc(f->live.count + 1, sizeof(*of_live));
    if (sight == SIGHT_CANNOT_TELL || !f->sessions_known || f->own == NULL || of_live == NULL)
        f->own_sight = SIGHT_CANNOT_TELL;
    else if (sight == SIGHT_IS && f->ending.count > 0 &&
             own_connection_uses(own, &f->live, &f->sockets, of_live) == SIGHT_CANNOT_TELL)
        f->own_sight = SIGHT_CANNOT_TELL;
    for (size_t i = 0; f->own != NULL && of_live != NULL && i < f->ending.count; i++)
        for (size_t k = 0; k < f->live.count; k++)
            if (of_live[k] && f->live.items[k].pid == f->ending.items[i].pid) {
                f->own[i] = true;
                f->own_sight = SIGHT_IS;
            }
    if (f->own_sight == SIGHT_CANNOT_TELL)
        buf_add(&f->unknown, "whether your own connection runs through a session that ends\n");
    free(of_live);
}

/* ---- the run ---- */

static void look(struct rehearsal *r, bool dry_run)
{
    struct own_connection own = {.ancestor_count = 0};
    enum sight sight = own_connection_read(r->ctl, &own);
    read_sockets(r);
    find_own(r, &own, sight);
    if (dry_run)
        find_unregistered(r);
    own_connection_release(&own);
}

/* Whether the admin must be asked whether to go on. Needs no look at the sessions where the
 * connection comes straight from another host, as nearly always. */
static bool may_be_own(struct ctl *ctl)
{
    struct own_connection own = {.ancestor_count = 0};
    enum sight sight = own_connection_read(ctl, &own);
    if (sight == SIGHT_CANNOT_TELL)
        ctl_warn(ctl,
                 "cannot tell whether your own connection runs through a session that ends: %s",
                 strerror(errno));
    own_connection_release(&own);
    return sight == SIGHT_IS;
}

int rehearse(struct ctl *ctl, const struct rehearsal_options *o, rehearsal_fn change, void *ctx,
             bool *ret_go_on)
{
    struct rehearsal r = {.ctl = ctl};
    *ret_go_on = false;
    if (!o->dry_run && (o->yes || geteuid() != 0 || !may_be_own(ctl))) {
        if (o->yes) /* the command goes on when the connection is gone */
            (void)signal(SIGHUP, SIG_IGN);
        *ret_go_on = true;
        return EXIT_DONE;
    }
    read_live(&r);
    ctl->rehearsal = &r;
    ctl->muted = !o->dry_run;
    int code = change(ctl, ctx);
    ctl_close(ctl);
    ctl->rehearsal = NULL;
    ctl->muted = false;
    look(&r, o->dry_run);
    if (!o->dry_run) { /* an error is met again by the real change, which then prints it */
        code = own_ask(ctl, &r.f, ret_go_on);
    } else if (code == EXIT_DONE || r.f.change_count > 0) {
        int printed = forecast_print(ctl, &r.f);
        code = code == EXIT_DONE ? printed : code;
    }
    forecast_release(&r.f);
    return code;
}
