/* SPDX-License-Identifier: ISC */
#include "leased/requests/register.h"

#include "leased/requests/agent_port.h"
#include "leased/requests/copies.h"
#include "leased/requests/facts.h"
#include "leased/requests/refuse.h"
#include "leased/requests/register_known.h"
#include "leased/requests/register_new.h"
#include "leased/requests/registering.h"
#include "leased/watch/sessions.h"
#include "lib/conf/conf.h"
#include "lib/lease/lease.h"
#include "lib/store/agents.h"
#include "lib/store/changes.h"
#include "lib/store/leases.h"

#include <bsd/string.h>
#include <string.h>

/* Replaces the key of an agent whose key leased made before. STORE_NONE: leased did not make it. */
static enum store_rc replace_key(struct registering *reg)
{
    const struct request_context *ctx = reg->ctx;
    const struct member *agent = &reg->effects->agent;
    struct store_conflict conflict;
    struct lease l = {0};
    struct lease_key key = {.pub = reg->key, .added_s = ctx->now_s};
    if (!agent->notes.issued)
        return STORE_NONE;
    enum store_rc rc = store_lease_by_id(ctx->store, agent->id, &l);
    if (rc == STORE_OK)
        rc = store_key_add(ctx->store, &l, &key, &ctx->by, &conflict);
    /* A request must not end a session: the key of a live one is removed at the next register. */
    const struct session *live = sessions_find_open(ctx->sessions, agent->id);
    for (size_t i = 0; rc == STORE_OK && i < l.key_count; i++)
        if (live == NULL || strcmp(live->fingerprint, l.keys[i].pub.fingerprint) != 0)
            rc = store_key_remove(ctx->store, &l, l.keys[i].pub.fingerprint, &ctx->by);
    lease_release(&l);
    return rc;
}

/* STORE_OK: the key is one of the agent's. STORE_NONE: it is not. */
static enum store_rc check_key(struct registering *reg)
{
    struct member *m = &reg->effects->agent;
    if (strcmp(m->fingerprint, reg->key.fingerprint) == 0)
        return STORE_OK;
    enum store_rc rc = store_agent_has_key(reg->ctx->store, m->id, reg->key.fingerprint);
    if (rc == STORE_OK)
        (void)strlcpy(m->fingerprint, reg->key.fingerprint, sizeof(m->fingerprint));
    return rc;
}

/* Checks what needs no store. *ret_keyless: there is no public key, and this gateway issues keys.
 */
static enum store_rc check_texts(struct registering *reg, bool *ret_keyless)
{
    const char *key_text = control_request_get(reg->r, CONTROL_PUBLIC_KEY);
    const bool keyless = *key_text == '\0';
    if (lease_name_problem(control_request_get(reg->r, CONTROL_AGENT_ID)) != NULL)
        return refuse(reg->answer, CONTROL_BAD_REQUEST,
                      "agent_id is not a valid name: 1 to 64 of A-Z a-z 0-9 . _ @ -, not beginning "
                      "with - or .");
    if (keyless && !reg->ctx->conf->issue_keys)
        return refuse(reg->answer, CONTROL_BAD_REQUEST,
                      "public_key is missing (this gateway issues no keys)");
    const char *problem = keyless ? NULL : pubkey_parse_file(key_text, strlen(key_text), &reg->key);
    *ret_keyless = keyless;
    return problem != NULL ? refuse(reg->answer, CONTROL_BAD_REQUEST, problem) : STORE_OK;
}

/* Finds the agent, and refuses a sender that may not register at all. */
static enum store_rc identify(struct registering *reg, bool keyless, bool *ret_known)
{
    const struct request_context *ctx = reg->ctx;
    struct control_answer *a = reg->answer;
    struct member *agent = &reg->effects->agent;
    enum store_rc rc =
        roster_find(ctx->roster, ctx->store, control_request_get(reg->r, CONTROL_AGENT_ID), agent);
    const bool known = rc == STORE_OK && !agent->revoked;
    const bool revoked = rc == STORE_OK && agent->revoked && agent->is_agent;
    if (rc != STORE_OK && rc != STORE_NONE)
        return rc;
    rc = credential_judge(ctx, reg->r, known ? agent : NULL, &reg->verdict);
    if (rc != STORE_OK)
        return rc;
    /* A revoked agent that proves its identity with its own secret is told that it was revoked. */
    if (reg->verdict.what == CREDENTIAL_NONE &&
        !(revoked && credential_is_of_revoked(agent, &reg->verdict)))
        return credential_refuse(ctx, reg->r, &reg->verdict, NULL, a);
    if (revoked)
        return refuse(a, CONTROL_REVOKED, "this agent was revoked");
    /* Without a public key, register_wants_key has already found that no key may be made for the
     * sender. */
    if (keyless)
        return credential_refuse(ctx, reg->r, &reg->verdict, known ? agent : NULL, a);
    const char *bind_host = control_request_get(reg->r, CONTROL_BIND_HOST);
    if (!agent_port_bind_host_fits(ctx->conf, bind_host))
        return agent_port_refuse_bind_host(ctx->conf, bind_host, a);
    *ret_known = known;
    return STORE_OK;
}

static enum store_rc decide_new(struct registering *reg)
{
    const struct request_context *ctx = reg->ctx;
    enum store_rc rc =
        store_agent_key_is_revoked(ctx->store, ctx->conf->agent_login, reg->key.fingerprint);
    if (rc == STORE_OK)
        return refuse(reg->answer, CONTROL_REVOKED, "the key belongs to a revoked agent");
    return rc == STORE_NONE ? register_new(reg) : rc;
}

/* Checks credential and key: is the sender the known agent? */
static enum store_rc check_agent(struct registering *reg)
{
    const struct request_context *ctx = reg->ctx;
    struct control_answer *a = reg->answer;
    struct request_effects *effects = reg->effects;
    struct member *agent = &effects->agent;
    bool speaks = false;
    if (!agent->is_agent)
        return refuse(a, CONTROL_CONFLICT,
                      "the name is taken by a lease that an admin granted: choose another "
                      "agent_id");
    /* A stolen enrolment key and the victim's public key must change nothing of the victim. */
    enum store_rc rc = credential_speaks_for(ctx, control_request_get(reg->r, CONTROL_AGENT_ID),
                                             agent, &reg->verdict, &speaks);
    if (rc != STORE_OK)
        return rc;
    if (!speaks)
        return credential_refuse(ctx, reg->r, &reg->verdict, agent, a);
    rc = facts_read_notes(ctx->store, agent);
    if (reg->issued) /* its keys change, even if it is refused below */
        effects->roster = ROSTER_FORGET;
    if (rc == STORE_OK)
        rc = reg->issued ? replace_key(reg) : check_key(reg);
    if (rc == STORE_NONE)
        return refuse(a, CONTROL_CONFLICT,
                      "this agent_id is registered with another key: a copied machine needs an "
                      "agent_id of its own, a new key 'leasectl key add'");
    if (rc == STORE_OK)
        rc = copies_judge(ctx, reg->r, reg->verdict.what != CREDENTIAL_SECRET, &reg->copies, a,
                          effects);
    if (rc != STORE_OK || a->code != CONTROL_OK)
        return rc;
    if (agent->fixed_end && agent->expires_s <= ctx->now_s)
        return refuse(a, CONTROL_EXPIRED,
                      "the lease has ended, and an admin fixed that end: 'leasectl renew'");
    return rc;
}

static enum store_rc decide_known(struct registering *reg)
{
    struct request_effects *effects = reg->effects;
    enum store_rc rc = check_agent(reg);
    if (rc != STORE_OK || reg->answer->code != CONTROL_OK)
        return rc;
    rc = register_known(reg);
    if (rc != STORE_OK || reg->answer->code != CONTROL_OK) {
        effects->roster = ROSTER_FORGET;
        return rc;
    }
    effects->lease_id = effects->agent.id;
    if (!reg->issued)
        effects->roster = ROSTER_PUT;
    return STORE_OK;
}

enum store_rc register_decide(const struct request_context *ctx, const struct control_request *r,
                              bool issued, struct control_answer *a,
                              struct request_effects *effects)
{
    struct registering reg = {
        .ctx = ctx, .r = r, .issued = issued, .answer = a, .effects = effects};
    bool keyless = false, known = false;
    enum store_rc rc = check_texts(&reg, &keyless);
    if (rc == STORE_OK && a->code == CONTROL_OK)
        rc = identify(&reg, keyless, &known);
    if (rc == STORE_OK && a->code == CONTROL_OK)
        rc = known ? decide_known(&reg) : decide_new(&reg);
    return rc;
}

bool register_wants_key(const struct request_context *ctx, const struct control_request *r)
{
    const char *name = control_request_get(r, CONTROL_AGENT_ID);
    struct member agent;
    struct credential_verdict verdict;
    if (r->action != CONTROL_REGISTER || !ctx->conf->issue_keys ||
        *control_request_get(r, CONTROL_PUBLIC_KEY) != '\0' || lease_name_problem(name) != NULL)
        return false;
    enum store_rc rc = roster_refresh(ctx->roster, ctx->store);
    if (rc == STORE_OK)
        rc = roster_find(ctx->roster, ctx->store, name, &agent);
    bool known = rc == STORE_OK && !agent.revoked;
    if (rc != STORE_OK && rc != STORE_NONE)
        return false;
    /* Without a valid credential nobody can make leased start a program. */
    if ((rc == STORE_OK && agent.revoked) ||
        credential_judge(ctx, r, known ? &agent : NULL, &verdict) != STORE_OK)
        return false;
    bool speaks = verdict.what != CREDENTIAL_NONE;
    return (!known || credential_speaks_for(ctx, name, &agent, &verdict, &speaks) == STORE_OK) &&
           speaks;
}
