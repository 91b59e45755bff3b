/* SPDX-License-Identifier: ISC */
#include "leased/requests/heartbeat.h"

#include "leased/requests/beats.h"
#include "leased/requests/copies.h"
#include "leased/requests/credential.h"
#include "leased/requests/refuse.h"
#include "leased/requests/request_context.h"
#include "leased/watch/listeners_cache.h"
#include "leased/watch/sessions.h"
#include "lib/conf/conf.h"
#include "lib/lease/lease.h"
#include "lib/store/agents.h"

#include <bsd/string.h>

int64_t heartbeat_end_s(const struct request_context *ctx, const struct member *agent)
{
    int64_t end_s = ctx->now_s + ctx->conf->default_ttl_s;
    return agent->fixed_end || end_s < agent->expires_s ? agent->expires_s : end_s;
}

/* The tunnel is up when something listens on the agent's port and the agent has an open session. */
static uint8_t tunnel_state(const struct request_context *ctx, const struct member *agent)
{
    struct listeners_cache *l = ctx->listeners;
    if (sessions_find_open(ctx->sessions, agent->id) == NULL)
        return ctx->sessions->registry_unreadable ? CONTROL_TUNNEL_UNKNOWN : CONTROL_TUNNEL_DOWN;
    /* A session that has just opened binds its port a moment later, so a "no" is checked with a
     * newer scan. */
    if (listeners_cache_has(l, agent->port, LISTENERS_MAX_AGE_MS) ||
        listeners_cache_has(l, agent->port, LISTENERS_RECENT_MS))
        return CONTROL_TUNNEL_UP;
    return l->is_unreadable ? CONTROL_TUNNEL_UNKNOWN : CONTROL_TUNNEL_DOWN;
}

/* Sets *agent to the one that the request comes from, or refuses. */
static enum store_rc identify(const struct request_context *ctx, const struct control_request *r,
                              struct control_answer *a, struct member *agent,
                              struct credential_verdict *verdict)
{
    const char *name = control_request_get(r, CONTROL_AGENT_ID);
    enum store_rc rc = roster_find(ctx->roster, ctx->store, name, agent);
    if (rc != STORE_OK && rc != STORE_NONE)
        return rc;
    const bool known = rc == STORE_OK && agent->is_agent;
    struct member *live = known && !agent->revoked ? agent : NULL;
    rc = credential_judge(ctx, r, live, verdict);
    if (rc != STORE_OK)
        return rc;
    if (known && credential_is_of_revoked(agent, verdict))
        return refuse(a, CONTROL_REVOKED, "this agent was revoked");
    bool speaks = verdict->what != CREDENTIAL_NONE;
    if (live != NULL)
        rc = credential_speaks_for(ctx, name, live, verdict, &speaks);
    if (rc != STORE_OK && rc != STORE_NONE)
        return rc;
    if (!speaks)
        return credential_refuse(ctx, r, verdict, live, a);
    if (!known)
        return refuse(a, CONTROL_NOT_FOUND, "there is no such agent: register first");
    if (agent->revoked)
        return refuse(a, CONTROL_REVOKED, "this agent was revoked");
    if (agent->expires_s <= ctx->now_s)
        return refuse(a, CONTROL_GONE,
                      agent->fixed_end ? "the lease has ended, and an admin fixed that end"
                                       : "the lease has expired: register again");
    return STORE_OK;
}

/*
 * After agent reset, an enrolment key speaks for the agent for a while. Many hosts may have that
 * key, so it changes no counter: only who has the agent's own secret can be its copy.
 */
static bool may_be_counted(const struct request_context *ctx, const struct control_request *r,
                           const struct member *agent, const struct credential_verdict *verdict)
{
    return verdict->what == CREDENTIAL_SECRET ||
           (r->counter.number == 0 && agent->counter.number == 0 &&
            beats_newest(ctx->beats, agent->id).counter.number == 0);
}

enum store_rc heartbeat_decide(const struct request_context *ctx, const struct control_request *r,
                               struct control_answer *a, struct request_effects *effects)
{
    const char *name = control_request_get(r, CONTROL_AGENT_ID);
    struct member *agent = &effects->agent;
    struct credential_verdict verdict;

    if (lease_name_problem(name) != NULL)
        return refuse(a, CONTROL_BAD_REQUEST, "agent_id is not a valid name");
    enum store_rc rc = identify(ctx, r, a, agent, &verdict);
    if (rc != STORE_OK || a->code != CONTROL_OK)
        return rc;
    if (!may_be_counted(ctx, r, agent, &verdict))
        return credential_refuse(ctx, r, &verdict, agent, a);
    rc = copies_judge(ctx, r, false, NULL, a, effects);
    if (rc != STORE_OK || a->code != CONTROL_OK)
        return rc;
    if (verdict.what == CREDENTIAL_SECRET && !agent->secret_used) {
        rc = store_agent_secret_used(ctx->store, agent->id);
        if (rc != STORE_OK)
            return rc;
        agent->secret_used = true;
    }
    agent->expires_s = heartbeat_end_s(ctx, agent);
    effects->lease_id = agent->id;
    effects->is_beat = true;
    effects->roster = ROSTER_PUT;
    a->code = CONTROL_OK;
    (void)strlcpy(a->agent_id, name, sizeof(a->agent_id));
    a->port_b = agent->port;
    a->lease_expires_s = agent->expires_s;
    a->tunnel = tunnel_state(ctx, agent);
    return STORE_OK;
}
