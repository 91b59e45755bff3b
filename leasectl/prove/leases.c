/* SPDX-License-Identifier: ISC */
#include "leasectl/prove/leases.h"

#include "leasectl/ctl_store.h"
#include "leasectl/host/account.h"
#include "leasectl/sessions/choose.h"
#include "leasectl/sessions/registry.h"
#include "leasectl/show/lease.h"
#include "leasectl/show/session.h"
#include "lib/base/text.h"
#include "lib/lease/time_text.h"
#include "lib/store/freezes.h"
#include "lib/store/leases.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { BEYOND_LISTED_MAX = 5 };

struct reader {
    struct proof *proof;
    struct verifies *verifies;
    struct leases_report *r;
};

/* ---- leases ---- */

static void add_field(struct buf *out, const char *name, const char *value)
{
    buf_addf(out, "      %-11s ", name);
    text_add_escaped(out, value);
    buf_add(out, "\n");
}

static void add_list(struct buf *out, const char *name, const struct buf *list, const char *none)
{
    const char *text = buf_text(list);
    add_field(out, name, text != NULL && *text != '\0' ? text : none);
}

static void add_use(struct ctl *ctl, const struct lease *l, struct buf *out)
{
    char last[TIME_TEXT_BYTES] = "never";
    const int64_t sessions = sessions_count(ctl, l->id);
    if (l->last_login_s != 0)
        time_format_rfc3339(l->last_login_s, last);
    buf_addf(out, "      %-11s %s; ", "last login", last);
    if (sessions >= 0)
        buf_addf(out, "%" PRId64 " session%s now", sessions, sessions == 1 ? "" : "s");
    else
        buf_add(out, "sessions now: not known");
    if (l->max_sessions != 0)
        buf_addf(out, ", at most %u", l->max_sessions);
    buf_add(out, "\n");
}

static void add_text(struct ctl *ctl, const struct lease *l, struct buf *out)
{
    char until[TIME_TEXT_BYTES];
    struct buf open = {0}, listen = {0}, from = {0};
    time_format_rfc3339(l->expires_s, until);
    permit_list_format(&l->open, &open);
    for (size_t i = 0; i < l->open_agent_count; i++)
        buf_addf(&open, "%s" LEASE_AGENT_PREFIX "%s", open.len > 0 ? " " : "", l->open_agents[i]);
    permit_list_format(&l->listen, &listen);
    source_list_format(&l->from, &from);
    buf_add(out, "\n  ");
    text_add_escaped(out, l->name);
    buf_addf(out, " (#%" PRId64 ") on ", l->id);
    text_add_escaped(out, l->login);
    buf_addf(out, " until %s\n", until);
    add_list(out, "may open", &open, "nothing");
    add_list(out, "may listen", &listen, "nothing");
    add_list(out, "from", &from, "anywhere");
    add_use(ctl, l, out);
    for (size_t i = 0; i < l->key_count; i++) {
        buf_addf(out, "      %-11s %s %s ", "key", l->keys[i].pub.fingerprint, l->keys[i].pub.type);
        text_add_escaped(out, l->keys[i].pub.comment);
        buf_add(out, "\n");
    }
    if (l->note[0] != '\0')
        add_field(out, "note", l->note);
    buf_release(&open);
    buf_release(&listen);
    buf_release(&from);
}

static void add_beyond(struct leases_report *r, const struct lease *l, const struct permit *p,
                       const char *problem)
{
    char text[PERMIT_TEXT_BYTES];
    if (problem == NULL || r->beyond_count++ >= BEYOND_LISTED_MAX)
        return;
    permit_format(p, text);
    buf_addf(&r->beyond, "%s'%s' has %s: %s", r->beyond.len > 0 ? "; " : "", l->name, text,
             problem);
}

static void judge_ceiling(const struct ceiling *c, const struct lease *l, struct leases_report *r)
{
    for (size_t i = 0; i < l->open.count; i++)
        add_beyond(r, l, &l->open.items[i], ceiling_open_problem(c, l->login, &l->open.items[i]));
    for (size_t i = 0; i < l->listen.count; i++)
        add_beyond(r, l, &l->listen.items[i],
                   ceiling_listen_problem(c, l->login, &l->listen.items[i]));
}

static int add_lease(void *arg, const struct lease *l)
{
    struct reader *reader = arg;
    struct leases_report *r = reader->r;
    struct ctl *ctl = reader->proof->ctl;
    if (l->id < 0) /* of a verify that runs */
        return 0;
    r->active++;
    verifies_add_login(reader->verifies, l->login, l->id);
    judge_ceiling(&ctl->conf.ceiling, l, r);
    if (r->listed == LEASES_LISTED_MAX)
        return 0;
    add_text(ctl, l, &r->text);
    buf_add(&r->json, r->listed++ > 0 ? ",\n" : "");
    if (lease_to_json(ctl, l, &r->json) != 0)
        r->json.failed = true;
    return r->text.failed || r->json.failed;
}

static int add_freeze(void *arg, const char *login, int64_t since_s)
{
    const struct reader *reader = arg;
    char since[TIME_TEXT_BYTES];
    time_format_rfc3339(since_s, since);
    verifies_freeze(reader->verifies, login);
    buf_addf(&reader->r->freezes, "  %s since %s\n", strcmp(login, "*") == 0 ? "all logins" : login,
             since);
    return 0;
}

static void judge(struct proof *p, const struct leases_report *r)
{
    char good[64];
    (void)snprintf(good, sizeof(good), "%zu active lease%s, each within it", r->active,
                   r->active == 1 ? "" : "s");
    if (r->problem != NULL)
        proof_add(p, "within-ceiling", "the active leases", OUTCOME_NOT_RUN, "%s", r->problem);
    else if (r->beyond_count > BEYOND_LISTED_MAX)
        proof_add(p, "within-ceiling", "the active leases", OUTCOME_FAIL, "%s; and %zu more",
                  buf_text(&r->beyond), r->beyond_count - BEYOND_LISTED_MAX);
    else
        proof_judge(p, "within-ceiling", "the active leases", buf_text(&r->beyond), good);
}

void read_leases(struct proof *p, struct verifies *v, struct leases_report *ret)
{
    struct ctl *ctl = p->ctl;
    const struct store_filter filter = {.now_s = ctl->now_s, .before_s = INT64_MAX};
    struct reader reader = {.proof = p, .verifies = v, .r = ret};
    *ret = (struct leases_report){.problem = NULL};
    proof_show_progress(p, "leases");
    /* In the order of what an admin sees first. */
    if (account_lease_problem(ctl->conf.forward_login, ctl->conf.tunnel_group) == NULL)
        verifies_add_login(v, ctl->conf.forward_login, 0);
    if (account_lease_problem(ctl->conf.agent_login, ctl->conf.tunnel_group) == NULL)
        verifies_add_login(v, ctl->conf.agent_login, 0);
    if (ctl_open_read(ctl) != EXIT_DONE ||
        store_lease_list(ctl->store, &filter, add_lease, &reader) != STORE_OK ||
        store_freeze_list(ctl->store, add_freeze, &reader) != STORE_OK ||
        buf_text(&ret->text) == NULL || buf_text(&ret->json) == NULL)
        ret->problem = "the leases could not be read";
    ctl_close(ctl);
    judge(p, ret);
}

void leases_report_release(struct leases_report *r)
{
    buf_release(&r->text);
    buf_release(&r->json);
    buf_release(&r->beyond);
    buf_release(&r->freezes);
}

/* ---- sessions ---- */

static void add_session(struct sessions_report *r, const struct session *s)
{
    char since[TIME_TEXT_BYTES];
    struct json_field fields[SESSION_JSON_FIELDS];
    session_json_fields(s, since, fields);
    buf_add(&r->json, r->count++ > 0 ? ",\n" : "");
    if (json_object_line(fields, SESSION_JSON_FIELDS, &r->json) != 0)
        r->json.failed = true;
    buf_add(&r->text, "  ");
    text_add_escaped(&r->text, s->lease);
    buf_add(&r->text, " on ");
    text_add_escaped(&r->text, s->login);
    buf_add(&r->text, " from ");
    text_add_escaped(&r->text, s->source[0] != '\0' ? s->source : "somewhere");
    buf_addf(&r->text, " since %s, pid %d, %s%s\n", since, (int)s->pid, s->fingerprint,
             s->sight == SESSION_LIVE ? "" : ", cannot be seen from here");
}

void read_sessions(struct proof *p, struct sessions_report *ret)
{
    struct session_choice choice = {.lease_id = 0};
    struct session_list list = {0};
    *ret = (struct sessions_report){.count = 0};
    if (sessions_read_chosen(p->ctl, &choice, &list) != EXIT_DONE)
        ret->problem = "the registry could not be read";
    for (size_t i = 0; i < list.count; i++)
        add_session(ret, &list.items[i]);
    session_list_release(&list);
}

void sessions_report_release(struct sessions_report *r)
{
    buf_release(&r->text);
    buf_release(&r->json);
}
