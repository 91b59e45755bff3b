/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/gateway/credential.h"

#include "tunnel-agent/host/statedir.h"

#include <stdlib.h>
#include <string.h>

void credential_read(struct credential *c, const struct statedir *state, const char *enrolment)
{
    c->secret = statedir_read(state, "agent_secret");
    c->enrolment = enrolment;
}

const char *credential_now(const struct credential *c)
{
    if (c->secret != NULL && !c->enrolment_is_tried)
        return c->secret;
    return c->enrolment != NULL ? c->enrolment : c->secret;
}

bool credential_turn(struct credential *c, enum control_code code)
{
    if ((code != CONTROL_UNAUTHORIZED && code != CONTROL_RATE_LIMITED) || c->secret == NULL ||
        c->enrolment == NULL)
        return false;
    c->enrolment_is_tried = !c->enrolment_is_tried;
    return c->enrolment_is_tried;
}

int credential_keep_secret(struct credential *c, const struct statedir *state, const char *secret)
{
    int rc = statedir_write(state, "agent_secret", secret);
    free(c->secret);
    c->secret = strdup(secret);
    return rc;
}

void credential_release(struct credential *c)
{
    free(c->secret);
}
