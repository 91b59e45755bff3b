/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/gateway/refusal.h"

#include "lib/wire/register.h"
#include "tunnel-agent/gateway/credential.h"

#include <stdio.h>

void refusal_explain(const char *agent_id, const struct credential *c, unsigned status,
                     const struct register_error *e, char why[static REFUSAL_WHY_BYTES])
{
    switch (e->code) {
    case CONTROL_REVOKED:
        (void)snprintf(why, REFUSAL_WHY_BYTES, "the gateway says that '%.64s' is revoked: %.200s",
                       agent_id, e->text);
        break;
    case CONTROL_CONFLICT:
        (void)snprintf(why, REFUSAL_WHY_BYTES, "the gateway knows '%.64s' with another key: %.200s",
                       agent_id, e->text);
        break;
    case CONTROL_COPIED:
        (void)snprintf(why, REFUSAL_WHY_BYTES, "another host has the state of this agent: %.255s",
                       e->text);
        break;
    case CONTROL_EXPIRED:
        (void)snprintf(why, REFUSAL_WHY_BYTES,
                       "the gateway refuses: %.200s. On the gateway: leasectl renew %.64s", e->text,
                       agent_id);
        break;
    case CONTROL_UNAUTHORIZED:
        (void)snprintf(
            why, REFUSAL_WHY_BYTES,
            "the gateway does not accept the %s: %.120s. If %s right, and this agent was "
            "registered there: on the gateway, 'leasectl agent reset %.64s'%s",
            c->secret == NULL      ? "key or token"
            : c->enrolment != NULL ? "agent_secret, nor the key or token"
                                   : "agent_secret",
            e->text, c->secret != NULL && c->enrolment != NULL ? "they are" : "it is", agent_id,
            c->secret == NULL
                ? ". If it is wrong, expired or used up: there, 'leasectl token create'"
                : "");
        break;
    default:
        (void)snprintf(why, REFUSAL_WHY_BYTES, "the gateway answers %u: %.200s", status,
                       e->text[0] != '\0' ? e->text : "the answer is not from leased");
        break;
    }
}

enum backoff_kind refusal_backoff(enum control_code code)
{
    switch (code) {
    case CONTROL_UNAUTHORIZED:
    case CONTROL_FORBIDDEN:
    case CONTROL_EXPIRED:
    case CONTROL_REVOKED:
    case CONTROL_CONFLICT:
    case CONTROL_COPIED:
        return BACKOFF_AUTH;
    default:
        return BACKOFF_REFUSED;
    }
}
