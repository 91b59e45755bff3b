/* SPDX-License-Identifier: ISC */
#include "leased/requests/register_known.h"

#include "leased/requests/registering.h"
#include "leased/requests/agent_port.h"
#include "leased/requests/facts.h"
#include "leased/requests/heartbeat.h"
#include "leased/requests/refuse.h"
#include "lib/base/buf.h"
#include "lib/store/agents.h"
#include "lib/store/tokens.h"

#include <bsd/string.h>
#include <string.h>

/* Sets the port that the agent has from now on; refuses if there is none. */
static enum store_rc choose_port(struct registering *reg)
{
    struct member *known = &reg->effects->agent;
    if (known->expires_s <= reg->ctx->now_s) {
        enum store_rc rc =
            agent_port_reacquire(reg->ctx, known->id, &known->port, &known->notes.home_port);
        if (rc == STORE_NONE)
            return refuse(reg->answer, CONTROL_NO_PORTS, agent_port_none_text);
        if (rc != STORE_OK)
            return rc;
        reg->effects->came_back = true;
    }
    return agent_port_choose(reg->ctx, known->id, &known->port, &known->notes.home_port);
}

/*
 * Begins the time in which the agent may be given a new secret, if this register is to begin it:
 *  - not if the agent has shown its secret: it needs no new one;
 *  - not if an earlier register gave it a secret, unless `leasectl agent reset` was run since. The
 *    answer may have been lost, but the time of that register goes on, and is not made longer.
 */
static enum store_rc begin_reissue(struct registering *reg, bool by_secret)
{
    struct member *known = &reg->effects->agent;
    if (by_secret || (known->has_secret && known->notes.reissue.since != REISSUE_RESET))
        return STORE_OK;
    return credential_begin_reissue(reg->ctx, control_request_get(reg->r, CONTROL_AGENT_ID),
                                    &known->notes.reissue);
}

/* Sets the secret that the agent has from now on. */
static void choose_secret(struct registering *reg, bool by_secret,
                          char secret[static SECRET_TEXT_BYTES])
{
    struct member *known = &reg->effects->agent;
    if (by_secret) {
        (void)strlcpy(secret, control_request_get(reg->r, CONTROL_CREDENTIAL), SECRET_TEXT_BYTES);
    } else {
        secret_make(secret); /* replaces one that was never used, or was reset */
        secret_hash(secret, known->secret_hash);
        known->has_secret = true;
    }
    known->secret_used = by_secret;
}

static enum store_rc write_agent(struct registering *reg, bool by_secret, const char *facts)
{
    struct member *known = &reg->effects->agent;
    const int64_t token_id = reg->verdict.token.id;
    enum store_rc rc = STORE_OK;
    if (reg->verdict.what == CREDENTIAL_ENROLS && token_id != 0)
        rc = store_token_use(reg->ctx->store, token_id);
    if (token_id != 0)
        known->token_id = token_id;
    known->expires_s = known->lease_expires_s = heartbeat_end_s(reg->ctx, known);
    const struct agent_update u = {.secret_hash = by_secret ? NULL : known->secret_hash,
                                   .secret_used = known->secret_used,
                                   .token_id = known->token_id,
                                   .facts = facts,
                                   .heartbeat_ms = reg->ctx->now_ms,
                                   .expires_s = known->expires_s,
                                   .counter = known->counter};
    return rc == STORE_OK ? store_agent_update(reg->ctx->store, known->id, &u) : rc;
}

enum store_rc register_known(struct registering *reg)
{
    struct member *known = &reg->effects->agent;
    char secret[SECRET_TEXT_BYTES] = "";
    struct buf facts = {0};
    const bool by_secret = reg->verdict.what == CREDENTIAL_SECRET;
    const uint16_t port_before = known->port;
    /* The facts are checked before anything changes: a refused request leaves the port as it was.
     */
    const char *problem = facts_collect(reg->r, &known->notes, &reg->copies, &facts);
    enum store_rc rc =
        problem != NULL ? refuse(reg->answer, CONTROL_BAD_REQUEST, problem) : choose_port(reg);
    if (rc != STORE_OK || reg->answer->code != CONTROL_OK)
        goto out;
    rc = begin_reissue(reg, by_secret);
    if (rc != STORE_OK)
        goto out;
    buf_clear(&facts);
    (void)facts_collect(reg->r, &known->notes, &reg->copies, &facts);
    if (buf_text(&facts) == NULL) {
        rc = STORE_FAIL;
        goto out;
    }
    choose_secret(reg, by_secret, secret);
    rc = write_agent(reg, by_secret, buf_text(&facts));
    if (rc != STORE_OK)
        goto out;
    registering_accept(reg, known->expires_s, known->port, secret);
    const uint16_t home = known->notes.home_port, from = home != 0 ? home : port_before;
    reg->answer->port_changed_from = from != known->port ? from : 0;
out:
    explicit_bzero(secret, sizeof(secret));
    buf_release(&facts);
    return rc;
}
