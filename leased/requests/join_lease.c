/* SPDX-License-Identifier: ISC */
#include "leased/requests/join_lease.h"

#include "leased/requests/agent_port.h"
#include "leased/requests/beats.h"
#include "leased/requests/facts.h"
#include "leased/requests/join_answer.h"
#include "leased/requests/request_context.h"
#include "leased/watch/copies_seen.h"
#include "leased/watch/listeners_cache.h"
#include "lib/base/buf.h"
#include "lib/conf/conf.h"
#include "lib/lease/lease.h"
#include "lib/store/agents.h"
#include "lib/store/changes.h"
#include "lib/store/leases.h"
#include "lib/store/transaction.h"
#include "lib/wire/join_exit.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

int64_t join_lease_end_s(const struct joining *j)
{
    const struct invite *i = &j->invite;
    const int64_t now_s = j->ctx->now_s;
    return i->ttl_s != 0             ? now_s + i->ttl_s
           : i->terms.expires_s != 0 ? i->terms.expires_s
                                     : now_s + j->ctx->conf->default_ttl_s;
}

/* ---- refusals ---- */

static enum store_rc refuse_name(struct joining *j, const char *text)
{
    return join_refuse(j->ret, JOIN_TAKEN, "name",
                       "The name '%s' %s.\nThe invite was not spent: ask whoever sent it.\n",
                       j->invite.terms.name, text);
}

static enum store_rc refuse_conflict(struct joining *j, const struct store_conflict *c)
{
    if (c->what == CONFLICT_KEY)
        return join_refuse_key(j, "key", "holds a lease here already");
    if (c->what == CONFLICT_PORT)
        return join_refuse(j->ret, JOIN_TAKEN, "port",
                           "The port %u of the invite is taken by now.\nThe invite was not spent: "
                           "ask whoever sent it.\n",
                           c->port);
    return refuse_name(j, "is taken by now");
}

static enum store_rc refuse_ports(struct joining *j)
{
    return join_refuse(j->ret, JOIN_CEILING, "ports",
                       "The gateway has no free port: %s.\nThe invite was not spent: ask whoever "
                       "sent it.\n",
                       agent_port_none_text);
}

/* ---- the secret of a private host ---- */

/*
 * Sets what is known of a private host. Whoever asks for JSON is told a secret; for others it gets
 * one that nobody knows, so that only an admin's reset lets an enrolment key or a token speak for
 * it.
 */
static enum store_rc set_secret(struct joining *j, int64_t id, const char *facts)
{
    char unknown[SECRET_TEXT_BYTES];
    uint8_t hash[SECRET_HASH_BYTES];
    if (facts == NULL)
        return STORE_FAIL;
    secret_make(unknown);
    if (j->wants_json)
        (void)strlcpy(j->secret, unknown, sizeof(j->secret));
    secret_hash(unknown, hash);
    explicit_bzero(unknown, sizeof(unknown));
    return store_agent_update(
        j->ctx->store, id,
        &(struct agent_update){.secret_hash = hash, .secret_used = !j->wants_json, .facts = facts});
}

enum store_rc join_lease_secret_again(struct joining *j, const char *name)
{
    struct agent a;
    char facts[AGENT_FACTS_BYTES];
    enum store_rc rc = store_agent_find(j->ctx->store, name, &a);
    if (rc != STORE_OK || !j->wants_json || a.secret_used)
        return rc;
    rc = store_agent_facts(j->ctx->store, a.id, facts);
    return rc == STORE_OK ? set_secret(j, a.id, facts) : rc;
}

/* ---- a new lease ---- */

static int fill_lease(const struct joining *j, uint16_t port, struct lease *l)
{
    const struct conf *conf = j->ctx->conf;
    const struct lease_key key = {.pub = j->key, .added_s = j->ctx->now_s};
    const struct lease *t = &j->invite.terms;
    (void)strlcpy(l->name, t->name, sizeof(l->name));
    (void)strlcpy(l->login, t->login, sizeof(l->login));
    (void)strlcpy(l->note, t->note, sizeof(l->note));
    memcpy(l->open_agents, t->open_agents, sizeof(l->open_agents));
    l->open_agent_count = t->open_agent_count;
    l->from = t->from;
    l->max_sessions = t->max_sessions;
    l->expires_s = join_lease_end_s(j);
    l->fixed_end = t->fixed_end;
    for (size_t i = 0; i < t->open.count; i++)
        if (!t->open.items[i].from_agent && permit_list_add(&l->open, &t->open.items[i]) != NULL)
            return -1;
    for (size_t i = 0; i < t->listen.count; i++)
        if (permit_list_add(&l->listen, &t->listen.items[i]) != NULL)
            return -1;
    if (j->invite.is_agent && conf->ceiling.control.low != 0 &&
        !permit_list_has(&l->open, &conf->ceiling.control) &&
        permit_list_add(&l->open, &conf->ceiling.control) != NULL)
        return -1;
    if (port != 0 && agent_port_set_listen(conf, l, port) != 0)
        return -1;
    return lease_add_key(l, &key);
}

/* port 0: the listen permits of the invite. */
static enum store_rc add_lease_with(struct joining *j, uint16_t port, int64_t *ret_id,
                                    struct store_conflict *conflict)
{
    static const char facts[] = "admin 1\n"; /* an admin invited it: it may stay pending */
    struct store *st = j->ctx->store;
    struct lease l = {0};
    const int64_t quarantine_s = agent_port_quarantine_s(j->ctx);
    enum store_rc rc = fill_lease(j, port, &l) == 0 ? STORE_OK : STORE_FAIL;
    if (rc == STORE_OK && !j->invite.is_agent)
        rc = store_lease_add(st, &l, quarantine_s, &j->by, ret_id, conflict);
    else if (rc == STORE_OK)
        rc = store_agent_add(st, &l, 0, facts, quarantine_s, &j->by, ret_id, conflict);
    if (rc == STORE_OK && j->invite.is_agent)
        rc = set_secret(j, *ret_id, facts);
    lease_release(&l);
    return rc;
}

/* The same in a savepoint, so that a conflict about a port leaves nothing. */
static enum store_rc try_port(struct joining *j, uint16_t port, int64_t *ret_id,
                              struct store_conflict *conflict)
{
    enum store_rc rc = store_savepoint(j->ctx->store);
    if (rc != STORE_OK)
        return rc;
    rc = add_lease_with(j, port, ret_id, conflict);
    if (rc != STORE_OK && rc != STORE_CONFLICT)
        return rc;
    const enum store_rc end_rc = store_savepoint_end(j->ctx->store, rc == STORE_OK);
    return end_rc == STORE_OK ? rc : end_rc;
}

/* STORE_NONE: no port is free. */
static enum store_rc add_new(struct joining *j, int64_t *ret_id, struct store_conflict *conflict)
{
    const struct lease *t = &j->invite.terms;
    uint16_t port = 0;
    if (!j->invite.is_agent || t->listen.count > 0)
        return add_lease_with(j, 0, ret_id, conflict);
    if (!listeners_cache_is_readable(j->ctx->listeners))
        return STORE_NONE;
    enum store_rc rc = agent_port_wanted(j->ctx, t->name, 0, &port);
    if (rc == STORE_OK && port != 0) {
        rc = try_port(j, port, ret_id, conflict);
        if (rc != STORE_CONFLICT || conflict->what != CONFLICT_PORT)
            return rc;
        rc = STORE_OK;
    }
    if (rc == STORE_OK)
        rc = agent_port_pick(j->ctx, &port);
    return rc == STORE_OK ? try_port(j, port, ret_id, conflict) : rc;
}

/* ---- the place of another agent ---- */

static enum store_rc replace_keys(struct joining *j, const struct lease *l,
                                  struct store_conflict *conflict)
{
    const struct lease_key key = {.pub = j->key, .added_s = j->ctx->now_s};
    enum store_rc rc = STORE_OK;
    if (!lease_has_key(l, j->key.fingerprint))
        rc = store_key_add(j->ctx->store, l, &key, &j->by, conflict);
    for (size_t i = 0; rc == STORE_OK && i < l->key_count; i++)
        if (strcmp(l->keys[i].pub.fingerprint, j->key.fingerprint) != 0)
            rc = store_key_remove(j->ctx->store, l, l->keys[i].pub.fingerprint, &j->by);
    return rc;
}

/* Its port is its own again, or another one if that is taken by now. STORE_NONE: none is free. */
static enum store_rc renew(struct joining *j, const struct agent *a,
                           struct store_conflict *conflict)
{
    struct lease l = {0};
    uint16_t port = a->port, home = 0;
    enum store_rc rc = a->expires_s <= j->ctx->now_s
                           ? agent_port_reacquire(j->ctx, a->id, &port, &home)
                           : STORE_OK;
    if (rc == STORE_OK)
        rc = store_lease_by_id(j->ctx->store, a->id, &l);
    if (rc == STORE_OK)
        rc = store_lease_renew(j->ctx->store, &l, join_lease_end_s(j), j->invite.terms.fixed_end,
                               agent_port_quarantine_s(j->ctx), &j->by, conflict);
    lease_release(&l);
    return rc;
}

/* A copy of the host that was there is shut out by the new key, so its counter, and a freeze
 * because of a copy, are over. */
static enum store_rc forget_copies(const struct joining *j, const struct agent *a)
{
    enum store_rc rc = store_agent_forget_counter(j->ctx->store, a->id);
    if (rc == STORE_OK && a->is_frozen)
        rc = store_agent_freeze(j->ctx->store, a->id, false);
    if (rc != STORE_OK)
        return rc;
    beats_forget_counter(j->ctx->beats, a->id);
    copies_seen_forget(j->ctx->copies_seen, a->name);
    return STORE_OK;
}

/* What the host said of itself is void, its host keys above all: it says them at its next
 * register. */
static enum store_rc forget_host(struct joining *j, const struct agent *a)
{
    struct member m = {.id = a->id};
    struct buf facts = {0};
    enum store_rc rc = facts_read_notes(j->ctx->store, &m);
    buf_add(&facts, "admin 1\n");
    if (m.notes.home_port != 0)
        buf_addf(&facts, "home_port %u\n", m.notes.home_port);
    if (rc == STORE_OK)
        rc = set_secret(j, a->id, buf_text(&facts));
    if (rc == STORE_OK)
        rc = forget_copies(j, a);
    buf_release(&facts);
    return rc;
}

static enum store_rc replace(struct joining *j, const struct agent *a, int64_t *ret_id,
                             struct store_conflict *conflict)
{
    struct lease l = {0};
    enum store_rc rc = renew(j, a, conflict);
    if (rc == STORE_OK)
        rc = store_lease_by_id(j->ctx->store, a->id, &l);
    if (rc == STORE_OK)
        rc = replace_keys(j, &l, conflict);
    if (rc == STORE_OK)
        rc = forget_host(j, a);
    *ret_id = a->id;
    lease_release(&l);
    return rc;
}

/* ---- both ---- */

/* Answers with a refusal where the name does not allow it. *ret_known: the agent to replace is *a.
 */
static enum store_rc check_name(struct joining *j, struct agent *a, bool *ret_known)
{
    enum store_rc rc = store_agent_find(j->ctx->store, j->invite.terms.name, a);
    *ret_known = false;
    if (rc != STORE_OK)
        return rc == STORE_NONE ? STORE_OK : rc;
    if (j->invite.replaces && a->revoked && a->is_agent)
        return refuse_name(j, "was revoked since");
    if (a->revoked)
        return STORE_OK;
    if (!j->invite.replaces || !a->is_agent || strcmp(a->login, j->invite.terms.login) != 0)
        return refuse_name(j, "is taken by now");
    *ret_known = true;
    return STORE_OK;
}

static enum store_rc spend(struct joining *j, const struct agent *replaced, int64_t *ret_id,
                           struct store_conflict *conflict)
{
    struct store *st = j->ctx->store;
    enum store_rc rc = store_invite_use(st, j->invite.id, &j->by);
    if (rc != STORE_OK) /* it was open in this transaction */
        return rc == STORE_NONE ? STORE_FAIL : rc;
    rc = replaced != NULL ? replace(j, replaced, ret_id, conflict) : add_new(j, ret_id, conflict);
    if (rc == STORE_OK)
        rc = store_invite_spend(st, j->invite.id, *ret_id, j->key.fingerprint, &j->by);
    return rc;
}

enum store_rc join_lease_take(struct joining *j)
{
    struct store *st = j->ctx->store;
    struct store_conflict conflict = {.what = CONFLICT_NAME};
    struct agent a;
    int64_t id = 0;
    bool known = false;
    enum store_rc rc = check_name(j, &a, &known);
    if (rc != STORE_OK || j->ret->text != NULL)
        return rc;
    rc = store_savepoint(st);
    if (rc != STORE_OK)
        return rc;
    rc = spend(j, known ? &a : NULL, &id, &conflict);
    if (rc != STORE_OK && rc != STORE_CONFLICT && rc != STORE_NONE)
        return rc; /* the whole batch is rolled back */
    const enum store_rc end_rc = store_savepoint_end(st, rc == STORE_OK);
    if (end_rc != STORE_OK)
        return end_rc;
    if (rc == STORE_OK)
        return join_accept(j, id);
    explicit_bzero(j->secret, sizeof(j->secret));
    return rc == STORE_NONE ? refuse_ports(j) : refuse_conflict(j, &conflict);
}
