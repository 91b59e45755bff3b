/* SPDX-License-Identifier: ISC */
#include "leased/requests/credential.h"

#include "leased/requests/api_keys.h"
#include "leased/requests/facts.h"
#include "leased/requests/limiter.h"
#include "leased/requests/refuse.h"
#include "leased/requests/request_context.h"
#include "lib/base/clock.h"
#include "lib/session/registry_read.h"
#include "lib/store/agents.h"
#include "lib/store/tokens.h"

#include <string.h>

enum store_rc credential_judge(const struct request_context *ctx, const struct control_request *r,
                               const struct member *known, struct credential_verdict *ret)
{
    const char *credential = control_request_get(r, CONTROL_CREDENTIAL);
    const char *agent_id = control_request_get(r, CONTROL_AGENT_ID);
    struct credential_verdict a = {.what = CREDENTIAL_NONE};

    secret_hash(credential, a.hash);
    *ret = a;
    if (*credential == '\0')
        return STORE_OK;
    if (known != NULL && known->has_secret && secret_equal(known->secret_hash, a.hash)) {
        ret->what = CREDENTIAL_SECRET;
        return STORE_OK;
    }
    if (api_keys_have(ctx->keys, a.hash)) {
        ret->what = CREDENTIAL_ENROLS;
        return STORE_OK;
    }
    enum store_rc rc = store_token_find(ctx->store, a.hash, &a.token);
    if (rc != STORE_OK)
        return rc == STORE_NONE ? STORE_OK : rc;
    if (a.token.expires_s <= ctx->now_s ||
        (a.token.name[0] != '\0' && strcmp(a.token.name, agent_id) != 0))
        return STORE_OK;
    if (known != NULL && known->token_id == a.token.id)
        a.what = CREDENTIAL_REPEATS;
    else if (a.token.uses_left > 0)
        a.what = CREDENTIAL_ENROLS;
    *ret = a;
    return STORE_OK;
}

bool credential_is_of_revoked(const struct member *agent, const struct credential_verdict *verdict)
{
    return agent->revoked && agent->has_secret && secret_equal(agent->secret_hash, verdict->hash);
}

enum store_rc credential_refuse(const struct request_context *ctx, const struct control_request *r,
                                const struct credential_verdict *verdict,
                                const struct member *known, struct control_answer *a)
{
    const char *agent_id = control_request_get(r, CONTROL_AGENT_ID);
    bool tried = *control_request_get(r, CONTROL_CREDENTIAL) != '\0';
    if (tried &&
        limiter_failed(ctx->limiter, r->address, agent_id, verdict->hash, clock_monotonic_ms()))
        return refuse(a, CONTROL_RATE_LIMITED, "too many wrong credentials: wait a minute");
    if (known != NULL && verdict->what != CREDENTIAL_NONE)
        return refuse(a, CONTROL_UNAUTHORIZED,
                      known->has_secret
                          ? "only its agent_secret is accepted for this agent, until an "
                            "admin runs 'leasectl agent reset'"
                          : "an admin added this agent: it needs a token of 'leasectl agent "
                            "add' or 'leasectl token create --name'");
    return refuse(a, CONTROL_UNAUTHORIZED,
                  tried ? "the credential is neither an enrolment key or token that is valid "
                          "for this agent, nor its own secret"
                        : "a credential is needed: Authorization: Bearer, X-API-Key or api_key");
}

/* The newest login with an agent's key: last_login_s from the store, or the start of a session that
 * is up. False: cannot tell. */
static bool newest_login(const struct registry *registry, int64_t lease_id, int64_t last_login_s,
                         int64_t *ret)
{
    struct session_list list;
    if (registry == NULL || registry_read(registry, lease_id, &list) != 0)
        return false;
    session_list_filter(&list, session_is_open, NULL);
    for (size_t i = 0; i < list.count; i++)
        if (list.items[i].since_s > last_login_s)
            last_login_s = list.items[i].since_s;
    session_list_release(&list);
    *ret = last_login_s;
    return true;
}

enum store_rc credential_begin_reissue(const struct request_context *ctx, const char *name,
                                       struct reissue *ret)
{
    struct agent a;
    enum store_rc rc = store_agent_find(ctx->store, name, &a);
    if (rc != STORE_OK)
        return rc;
    *ret =
        (struct reissue){.since = REISSUE_REGISTERED, .wall_s = ctx->now_s, .boot_s = ctx->boot_s};
    /* On failure login_s stays 0, as if the agent had never logged in. Any login then counts as a
     * new one, and ends the time. */
    (void)newest_login(ctx->registry, a.id, a.last_login_s, &ret->login_s);
    return STORE_OK;
}

enum store_rc credential_speaks_for(const struct request_context *ctx, const char *name,
                                    struct member *m, const struct credential_verdict *verdict,
                                    bool *ret)
{
    struct agent a;
    int64_t login_s = 0;
    *ret = verdict->what == CREDENTIAL_SECRET;
    if (*ret || verdict->what == CREDENTIAL_NONE)
        return STORE_OK;
    enum store_rc rc = facts_read_notes(ctx->store, m);
    if (rc != STORE_OK || (m->secret_used && m->notes.reissue.since != REISSUE_RESET))
        return rc;
    /* Its first secret. An agent that an admin added needs its token, which others do not know. */
    *ret = !m->has_secret && (!m->notes.by_admin || verdict->token.id != 0);
    if (*ret)
        return STORE_OK;
    rc = store_agent_find(ctx->store, name, &a);
    *ret = rc == STORE_OK && newest_login(ctx->registry, a.id, a.last_login_s, &login_s) &&
           reissue_allowed(&m->notes.reissue, ctx->now_s, ctx->boot_s, login_s);
    return rc;
}
