/* SPDX-License-Identifier: ISC */
#include "leased/requests/register_new.h"

#include "leased/requests/registering.h"
#include "leased/requests/agent_port.h"
#include "leased/requests/facts.h"
#include "leased/requests/pending_agents.h"
#include "leased/requests/refuse.h"
#include "leased/watch/listeners_cache.h"
#include "lib/base/buf.h"
#include "lib/conf/conf.h"
#include "lib/lease/lease.h"
#include "lib/store/agents.h"
#include "lib/store/tokens.h"
#include "lib/store/transaction.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

static int fill_lease(const struct registering *reg, struct lease *l, uint16_t port)
{
    const struct conf *conf = reg->ctx->conf;
    struct lease_key key = {.pub = reg->key, .added_s = reg->ctx->now_s};
    (void)strlcpy(l->name, control_request_get(reg->r, CONTROL_AGENT_ID), sizeof(l->name));
    (void)strlcpy(l->login, conf->agent_login, sizeof(l->login));
    l->expires_s = reg->ctx->now_s + conf->default_ttl_s;
    /* Heartbeats come through the agent's own tunnel, if leased listens on a TCP port. */
    if (conf->ceiling.control.low != 0 && permit_list_add(&l->open, &conf->ceiling.control) != NULL)
        return -1;
    return agent_port_set_listen(conf, l, port) == 0 && lease_add_key(l, &key) == 0 ? 0 : -1;
}

/* Adds the lease, its key and its port; on a conflict, nothing. *l has to be released. */
static enum store_rc add_agent(const struct registering *reg, uint16_t port, const char *facts,
                               struct lease *l, int64_t *ret_id, struct store_conflict *conflict)
{
    struct store *st = reg->ctx->store;
    lease_release(l);
    if (fill_lease(reg, l, port) != 0 || facts == NULL)
        return STORE_FAIL;
    enum store_rc rc = store_savepoint(st);
    if (rc != STORE_OK)
        return rc;
    rc = store_agent_add(st, l, reg->verdict.token.id, facts, agent_port_quarantine_s(reg->ctx),
                         &reg->ctx->by, ret_id, conflict);
    if (rc != STORE_OK && rc != STORE_CONFLICT)
        return rc; /* the whole batch is rolled back */
    enum store_rc end_rc = store_savepoint_end(st, rc == STORE_OK);
    return end_rc == STORE_OK ? rc : end_rc;
}

/* Adds the agent with the port that it wants or, if another lease has that, with any. STORE_NONE:
 * none is free. */
static enum store_rc add_with_port(const struct registering *reg, const char *facts,
                                   struct lease *l, int64_t *ret_id, uint16_t *ret_port,
                                   struct store_conflict *conflict)
{
    uint16_t port = 0;
    enum store_rc rc = agent_port_wanted(reg->ctx, control_request_get(reg->r, CONTROL_AGENT_ID),
                                         reg->r->port_b, &port);
    const bool wants_port = rc == STORE_OK && port != 0;
    if (wants_port)
        rc = add_agent(reg, port, facts, l, ret_id, conflict);
    if ((rc == STORE_OK && !wants_port) ||
        (rc == STORE_CONFLICT && conflict->what == CONFLICT_PORT)) {
        rc = agent_port_pick(reg->ctx, &port);
        if (rc == STORE_OK)
            rc = add_agent(reg, port, facts, l, ret_id, conflict);
    }
    *ret_port = port;
    return rc == STORE_CONFLICT && conflict->what == CONFLICT_PORT ? STORE_NONE : rc;
}

/* Refuses when the gateway has no room, or cannot see which ports are free. */
static enum store_rc check_room(const struct registering *reg)
{
    bool room = false;
    enum store_rc rc = pending_agents_has_room(reg->ctx->pending, reg->ctx->store,
                                               (int64_t)reg->ctx->conf->max_pending_agents, &room);
    if (rc != STORE_OK)
        return rc;
    if (!room)
        return refuse(reg->answer, CONTROL_RATE_LIMITED,
                      "too many agents have registered and never connected (MaxPendingAgents)");
    if (!listeners_cache_is_readable(reg->ctx->listeners))
        return refuse(reg->answer, CONTROL_UNAVAILABLE,
                      "the gateway cannot tell which ports are free: see its log");
    return STORE_OK;
}

/* The agent is in the store: uses up one use of its token, and gives it a secret. */
static enum store_rc give_secret(const struct registering *reg, int64_t id, const char *facts,
                                 char secret[static SECRET_TEXT_BYTES])
{
    uint8_t hash[SECRET_HASH_BYTES];
    enum store_rc rc = STORE_OK;
    if (reg->verdict.token.id != 0)
        rc = store_token_use(reg->ctx->store, reg->verdict.token.id);
    if (rc != STORE_OK)
        return rc;
    secret_make(secret);
    secret_hash(secret, hash);
    return store_agent_update(reg->ctx->store, id,
                              &(struct agent_update){.secret_hash = hash,
                                                     .token_id = reg->verdict.token.id,
                                                     .facts = facts,
                                                     .counter = reg->r->counter});
}

static enum store_rc refuse_conflict(const struct registering *reg,
                                     const struct store_conflict *conflict)
{
    char text[CONTROL_ERROR_BYTES];
    if (conflict->what == CONFLICT_INVITE)
        (void)snprintf(text, sizeof(text), "the name is reserved by the open invite #%lld",
                       (long long)conflict->lease_id);
    else
        (void)snprintf(text, sizeof(text), "the key belongs to the agent '%s'", conflict->lease);
    return refuse(reg->answer, CONTROL_CONFLICT, text);
}

enum store_rc register_new(struct registering *reg)
{
    const struct request_context *ctx = reg->ctx;
    char secret[SECRET_TEXT_BYTES] = "";
    struct store_conflict conflict;
    struct lease l = {0};
    struct buf facts = {0};
    int64_t id = 0;
    uint16_t port = 0;
    const struct agent_notes notes = {
        .issued = reg->issued,
        .reissue = {.since = REISSUE_REGISTERED, .wall_s = ctx->now_s, .boot_s = ctx->boot_s}};
    (void)strlcpy(reg->copies.last_from, reg->r->address, sizeof(reg->copies.last_from));
    const char *problem = facts_collect(reg->r, &notes, &reg->copies, &facts);
    enum store_rc rc =
        problem != NULL ? refuse(reg->answer, CONTROL_BAD_REQUEST, problem) : check_room(reg);
    if (rc != STORE_OK || reg->answer->code != CONTROL_OK)
        goto out;
    rc = add_with_port(reg, buf_text(&facts), &l, &id, &port, &conflict);
    if (rc == STORE_NONE)
        rc = refuse(reg->answer, CONTROL_NO_PORTS, agent_port_none_text);
    else if (rc == STORE_CONFLICT)
        rc = refuse_conflict(reg, &conflict);
    else if (rc == STORE_OK)
        rc = give_secret(reg, id, buf_text(&facts), secret);
    if (rc != STORE_OK || reg->answer->code != CONTROL_OK)
        goto out;
    reg->effects->is_new_agent = true;
    /* An agent that was another gateway's, or was deleted here, goes on from its own counter. */
    reg->answer->counter = agent_counter_told(&reg->r->counter);
    registering_accept(reg, l.expires_s, port, secret);
out:
    explicit_bzero(secret, sizeof(secret));
    buf_release(&facts);
    lease_release(&l);
    return rc;
}
