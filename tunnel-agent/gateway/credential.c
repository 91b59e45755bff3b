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

const char *credential_current(const struct credential *c)
{
    if (c->secret != NULL && !c->tries_enrolment)
        return c->secret;
    return c->enrolment != NULL ? c->enrolment : c->secret;
}

bool credential_switch(struct credential *c, enum control_code code)
{
    if ((code != CONTROL_UNAUTHORIZED && code != CONTROL_RATE_LIMITED) || c->secret == NULL ||
        c->enrolment == NULL)
        return false;
    c->tries_enrolment = !c->tries_enrolment;
    return c->tries_enrolment;
}

int credential_save_secret(struct credential *c, const struct statedir *state, const char *secret)
{
    int rc = statedir_write(state, "agent_secret", secret);
    free(c->secret);
    c->secret = strdup(secret);
    return rc;
}

bool credential_reread(struct credential *c, const struct statedir *state)
{
    char *secret = statedir_read(state, "agent_secret");
    if (secret == NULL || (c->secret != NULL && strcmp(secret, c->secret) == 0)) {
        free(secret);
        return false;
    }
    free(c->secret);
    c->secret = secret;
    c->tries_enrolment = false;
    return true;
}

void credential_release(struct credential *c)
{
    free(c->secret);
}
