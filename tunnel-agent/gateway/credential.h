/* SPDX-License-Identifier: ISC */
/* What the agent shows the control plane: its own secret, or what lets it enrol. */
#ifndef TUNLEASE_AGENT_GATEWAY_CREDENTIAL_H
#define TUNLEASE_AGENT_GATEWAY_CREDENTIAL_H

#include "lib/wire/control.h"

#include <stdbool.h>

struct statedir;

struct credential {
    char *secret;          /* owned; of STATE/agent_secret; NULL: none yet */
    const char *enrolment; /* borrowed: a key or token, or NULL */
    bool tries_enrolment;  /* the secret was refused, and so the enrolment key is used */
};

/* Both may be missing afterwards. To be released. */
void credential_read(struct credential *c, const struct statedir *state, const char *enrolment);

/* The one to be shown. NULL: there is none. */
const char *credential_current(const struct credential *c);

/*
 * After a no: to the secret, the enrolment key is tried, since a gateway that forgot us may admit
 * us anew; to that one, the secret again. Who said no may not have been the gateway, and one that
 * is asked by many says "too many" to what it would have refused. True: at once.
 */
bool credential_switch(struct credential *c, enum control_code code);

/* A secret that the gateway gave. 0, or -1 with errno: it could not be written. */
int credential_save_secret(struct credential *c, const struct statedir *state, const char *secret);

void credential_release(struct credential *c);

#endif
