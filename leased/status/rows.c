/* SPDX-License-Identifier: ISC */
#include "leased/status/rows.h"

#include "leased/status/filter.h"
#include "leased/status/view.h"
#include "leased/watch/listeners_cache.h"
#include "leased/watch/open_store.h"
#include "leased/watch/sessions.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/conf/conf.h"
#include "lib/lease/agent_copies.h"
#include "lib/lease/agent_fact.h"
#include "lib/lease/lease.h"
#include "lib/store/agents.h"
#include "lib/store/audit_list.h"
#include "lib/store/connection.h"
#include "lib/store/leases.h"
#include "lib/store/overview.h"
#include "lib/wire/members.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    LIST_BYTES = 200000,     /* of one list: four of them, and the rest, fit into an answer */
    AUDIT_TAIL_ROWS = 1000,  /* the newest, among which a filter looks */
    SESSION_PORTS_MAX = 256, /* shown of one session */
};

/* One list, while it is written. */
struct page {
    struct filter filter;
    struct buf *out;
    size_t begins; /* length of out where the list begins */
    int64_t matching, offset, rows;
};

static void page_begin(struct page *p, const struct overview_query *query, enum control_list list,
                       struct buf *out)
{
    members_open(out, control_list_name(list), '{');
    *p = (struct page){.filter = filter_make(query->filter),
                       .out = out,
                       .begins = out->len,
                       .offset = query->offsets[list]};
    members_number(out, "offset", p->offset);
    members_open(out, "rows", '[');
}

/* Counts a row that matches. True: it is on this page. */
static bool page_takes(struct page *p)
{
    const bool takes =
        p->matching >= p->offset && p->rows < OVERVIEW_ROWS && p->out->len - p->begins < LIST_BYTES;
    p->matching++;
    p->rows += takes;
    return takes;
}

static void page_end(struct page *p)
{
    members_close(p->out, ']');
    members_number(p->out, "matching", p->matching);
    members_close(p->out, '}');
}

static void add_failure(const struct overview *o, enum store_rc rc, struct buf *problem)
{
    if (rc != STORE_OK && rc != STORE_NONE && problem->len == 0)
        buf_addf(problem, "%s", store_error(o->open_store->store));
}

/* ---- leases ---- */

static bool lease_matches(const struct overview *o, const struct filter *f,
                          const struct indexed_lease *l)
{
    return filter_has_text(f, lease_index_name(&o->index, l)) ||
           filter_has_text(f, lease_index_login(&o->index, l)) ||
           (f->port != 0 && lease_index_has_port(&o->index, l, f->port));
}

static int64_t count_sessions(const struct overview *o, int64_t lease_id)
{
    const struct session *first = sessions_find_open(o->sessions, lease_id);
    const struct session *end = o->sessions->judged.items + o->sessions->judged.count;
    int64_t count = 0;
    for (const struct session *s = first; s != NULL && s < end && s->lease_id == lease_id; s++)
        count += s->open;
    return count;
}

static void add_permits(struct buf *out, const char *name, const struct permit_list *list)
{
    char text[PERMIT_TEXT_BYTES];
    members_open(out, name, '[');
    for (size_t i = 0; i < list->count; i++) {
        permit_format(&list->items[i], text);
        members_text(out, NULL, text);
    }
    members_close(out, ']');
}

static void add_sources(struct buf *out, const struct source_list *list)
{
    members_open(out, "from", '[');
    for (size_t i = 0; i < list->count; i++) {
        struct buf text = {0};
        const struct source_list one = {.items = {list->items[i]}, .count = 1};
        source_list_format(&one, &text);
        if (buf_text(&text) != NULL)
            members_text(out, NULL, buf_text(&text));
        buf_release(&text);
    }
    members_close(out, ']');
}

/* What becomes of it when nobody does anything. */
static void add_next(const struct overview *o, const struct indexed_lease *l, struct buf *out)
{
    const bool ended_first = l->revoked_s == 0 || l->expires_s < l->revoked_s;
    members_open(out, "next", '{');
    if (l->state == LEASE_ACTIVE) {
        members_text(out, "what", "expires");
        members_time(out, "at", l->expires_s);
    } else if (l->state == LEASE_REVOKED && l->is_agent) {
        members_text(out, "what", "kept"); /* its name and keys stay refused */
        members_null(out, "at");
    } else {
        members_text(out, "what", "deleted");
        members_time(out, "at",
                     (ended_first ? l->expires_s : l->revoked_s) + o->conf->keep_expired_s);
    }
    members_close(out, '}');
}

static void add_lease(const struct overview *o, const struct indexed_lease *at,
                      const struct lease *l, struct buf *out)
{
    members_open(out, NULL, '{');
    members_number(out, "id", l->id);
    members_text(out, "name", l->name);
    members_text(out, "login", l->login);
    members_text(out, "kind", at->is_agent ? "agent" : "grant");
    members_text(out, "state", lease_state_name((enum lease_state)at->state));
    add_permits(out, "open", &l->open);
    members_open(out, "open_agents", '[');
    for (size_t i = 0; i < l->open_agent_count; i++)
        members_text(out, NULL, l->open_agents[i]);
    members_close(out, ']');
    add_permits(out, "listen", &l->listen);
    add_sources(out, &l->from);
    if (l->max_sessions != 0)
        members_number(out, "max_sessions", l->max_sessions);
    else
        members_null(out, "max_sessions");
    members_text(out, "note", l->note);
    members_time(out, "created_at", l->created_s);
    members_time(out, "expires_at", l->expires_s);
    members_bool(out, "fixed_end", l->fixed_end);
    members_time(out, "revoked_at", l->revoked_s);
    members_time(out, "last_login_at", l->last_login_s);
    members_number(out, "sessions", count_sessions(o, l->id));
    add_next(o, at, out);
    members_close(out, '}');
}

void rows_leases(struct overview *o, const struct overview_query *query, struct buf *out,
                 struct buf *problem)
{
    struct page p;
    page_begin(&p, query, CONTROL_LIST_LEASES, out);
    for (size_t i = 0; i < o->index.list.count; i++) {
        const struct indexed_lease *at = &o->index.list.items[i];
        struct lease l = {0};
        if (!lease_matches(o, &p.filter, at) || !page_takes(&p))
            continue;
        enum store_rc rc = store_lease_by_id(o->open_store->store, at->id, &l);
        if (rc == STORE_OK)
            add_lease(o, at, &l, out);
        add_failure(o, rc, problem);
        lease_release(&l);
    }
    page_end(&p);
}

/* ---- agents ---- */

int rows_agent_tunnel(struct overview *o, const struct indexed_lease *agent)
{
    struct listeners_cache *listeners = o->listeners;
    if (sessions_find_open(o->sessions, agent->id) == NULL)
        return o->sessions->registry_unreadable ? CONTROL_TUNNEL_UNKNOWN : CONTROL_TUNNEL_DOWN;
    if (listeners_cache_has(listeners, lease_index_agent_port(&o->index, agent),
                            LISTENERS_MAX_AGE_MS))
        return CONTROL_TUNNEL_UP;
    return listeners->is_unreadable ? CONTROL_TUNNEL_UNKNOWN : CONTROL_TUNNEL_DOWN;
}

static void add_fact(struct buf *out, const char *facts, const char *name)
{
    char value[512];
    const char *rest = facts;
    if (!agent_fact_next(&rest, name, value, sizeof(value)))
        value[0] = '\0';
    members_text_or_null(out, name, value);
}

/* Both hosts that were seen to have the agent's state. */
static void add_copied(const struct agent *a, const char *facts, struct buf *out)
{
    struct agent_copies copies;
    agent_copies_parse(facts, &copies);
    members_bool(out, "frozen", a->is_frozen);
    if (!a->is_frozen && !agent_copies_are_recent(&copies, clock_now_s())) {
        members_null(out, "copied");
        return;
    }
    members_open(out, "copied", '{');
    members_time(out, "at", copies.seen_s);
    members_text_or_null(out, "from", copies.copy_from);
    members_text_or_null(out, "other", copies.other_from);
    members_close(out, '}');
}

static void add_agent(struct overview *o, const struct indexed_lease *at, const struct agent *a,
                      const char *facts, struct buf *out)
{
    static const char *const tunnels[] = {[CONTROL_TUNNEL_DOWN] = "down",
                                          [CONTROL_TUNNEL_UP] = "up",
                                          [CONTROL_TUNNEL_UNKNOWN] = "unknown"};
    members_open(out, NULL, '{');
    members_text(out, "name", a->name);
    members_number(out, "port", a->port);
    members_text(out, "tunnel", tunnels[rows_agent_tunnel(o, at)]);
    add_fact(out, facts, "hostname");
    add_fact(out, facts, "target");
    members_time(out, "last_heartbeat_at", a->heartbeat_ms / 1000);
    members_time(out, "expires_at", a->expires_s);
    add_copied(a, facts, out);
    members_close(out, '}');
}

void rows_agents(struct overview *o, const struct overview_query *query, struct buf *out,
                 struct buf *problem)
{
    static char facts[AGENT_FACTS_BYTES];
    struct store *st = o->open_store->store;
    struct page p;
    page_begin(&p, query, CONTROL_LIST_AGENTS, out);
    for (size_t i = 0; i < o->index.list.agent_count; i++) {
        const struct indexed_lease *at = &o->index.list.items[o->index.list.agents[i]];
        struct agent a;
        if (!lease_matches(o, &p.filter, at) || !page_takes(&p))
            continue;
        enum store_rc rc = store_agent_find(st, lease_index_name(&o->index, at), &a);
        if (rc == STORE_OK)
            rc = store_agent_facts(st, a.id, facts);
        if (rc == STORE_OK)
            add_agent(o, at, &a, facts, out);
        add_failure(o, rc, problem);
    }
    page_end(&p);
}

/* ---- sessions ---- */

/* The newest first. */
static int compare_since(const void *x, const void *y)
{
    const struct session *const *a = x, *const *b = y;
    if ((*a)->since_s != (*b)->since_s)
        return (*a)->since_s > (*b)->since_s ? -1 : 1;
    return ((*a)->pid > (*b)->pid) - ((*a)->pid < (*b)->pid);
}

static bool session_matches(const struct filter *f, const struct session *s)
{
    return filter_has_text(f, s->lease) || filter_has_text(f, s->login) ||
           filter_has_port(f, s->opens) || filter_has_port(f, s->listens);
}

/* The ports on which the session may listen and something does. leased cannot see whose listener it
 * is; but a lease that listens has one session. */
static void add_listeners(struct overview *o, const struct session *s, struct buf *out)
{
    struct permit_list list = {0};
    unsigned shown = 0;
    members_open(out, "listeners", '[');
    if (s->listens != NULL && permit_list_parse(s->listens, &list) != 0)
        list.count = 0;
    for (size_t i = 0; i < list.count; i++) {
        for (unsigned port = list.items[i].low; port <= list.items[i].high; port++) {
            struct permit one = list.items[i];
            char text[PERMIT_TEXT_BYTES];
            if (shown == SESSION_PORTS_MAX ||
                !listeners_cache_has(o->listeners, (uint16_t)port, LISTENERS_MAX_AGE_MS))
                continue;
            one.low = one.high = (uint16_t)port;
            permit_format(&one, text);
            members_text(out, NULL, text);
            shown++;
        }
    }
    permit_list_release(&list);
    members_close(out, ']');
}

static void add_session(struct overview *o, const struct session *s, struct buf *out)
{
    members_open(out, NULL, '{');
    members_text(out, "lease", s->lease);
    members_number(out, "lease_id", s->lease_id);
    members_text(out, "login", s->login);
    members_text(out, "from", s->source);
    members_time(out, "since", s->since_s);
    members_number(out, "pid", s->pid);
    add_listeners(o, s, out);
    members_bool(out, "seen", s->sight == SESSION_LIVE);
    members_close(out, '}');
}

void rows_sessions(struct overview *o, const struct overview_query *query, struct buf *out)
{
    const struct session_list *judged = &o->sessions->judged;
    const struct session **sorted = calloc(judged->count + 1, sizeof(*sorted));
    size_t count = 0;
    struct page p;
    page_begin(&p, query, CONTROL_LIST_SESSIONS, out);
    for (size_t i = 0; sorted != NULL && i < judged->count; i++)
        if (judged->items[i].open && session_matches(&p.filter, &judged->items[i]))
            sorted[count++] = &judged->items[i];
    if (count > 0)
        qsort(sorted, count, sizeof(*sorted), compare_since);
    for (size_t i = 0; i < count; i++)
        if (page_takes(&p))
            add_session(o, sorted[i], out);
    page_end(&p);
    out->failed = out->failed || sorted == NULL;
    free(sorted);
}

/* ---- audit ---- */

static int add_audit(void *ctx, const struct audit_record *row)
{
    struct page *p = ctx;
    if (!filter_has_text(&p->filter, row->lease) || !page_takes(p))
        return 0;
    members_open(p->out, NULL, '{');
    members_number(p->out, "seq", row->seq);
    members_time(p->out, "at", row->time_s);
    members_text(p->out, "actor", row->actor);
    members_text(p->out, "action", row->action);
    members_text(p->out, "lease", row->lease);
    if (row->lease_id != 0)
        members_number(p->out, "lease_id", row->lease_id);
    else
        members_null(p->out, "lease_id");
    members_text(p->out, "source", row->source);
    members_text(p->out, "outcome", row->outcome);
    members_text(p->out, "detail", row->detail);
    members_close(p->out, '}');
    return p->out->failed ? -1 : 0;
}

void rows_audit(struct overview *o, const struct overview_query *query, struct buf *out,
                struct buf *problem)
{
    struct store *st = o->open_store->store;
    const bool all = query->filter[0] == '\0';
    struct page p;
    page_begin(&p, query, CONTROL_LIST_AUDIT, out);
    enum store_rc rc = store_audit_count(st, &o->audit_rows);
    if (all) /* found by its number, however long the audit is */
        p.matching = p.offset;
    if (rc == STORE_OK)
        rc = audit_list_newest(st, all ? p.offset : 0, all ? OVERVIEW_ROWS : AUDIT_TAIL_ROWS,
                               add_audit, &p);
    if (all)
        p.matching = o->audit_rows;
    add_failure(o, rc, problem);
    page_end(&p);
}
