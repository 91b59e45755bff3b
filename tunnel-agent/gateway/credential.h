/* SPDX-License-Identifier: ISC */
/* The agent's credentials at the control port: its own secret, and what lets it enrol. */
#ifndef TUNLEASE_AGENT_GATEWAY_CREDENTIAL_H
#define TUNLEASE_AGENT_GATEWAY_CREDENTIAL_H

#include "lib/wire/control.h"

#include <stdbool.h>

struct statedir;

struct credential {
    char *secret;          /* owned: the text of STATE/agent_secret; NULL: none yet */
    const char *enrolment; /* borrowed: a key or token, or NULL */
    bool tries_enrolment;  /* the secret was refused, so use the enrolment key */
};

/* Reads the secret, and borrows enrolment. Both may be missing. To be released. */
void credential_read(struct credential *c, const struct statedir *state, const char *enrolment);

/* The credential to send. NULL: there is none. */
const char *credential_current(const struct credential *c);

/*
 * Switches to the other credential after a refusal. After the secret comes the enrolment key,
 * because a gateway that forgot us may admit us again. After the enrolment key comes the secret,
 * because the refusal may not have come from the gateway. "Too many" counts as well: after many
 * wrong credentials the gateway says it in place of a refusal. True: try again at once.
 */
bool credential_switch(struct credential *c, enum control_code code);

/* Saves a secret that the gateway gave. 0, or -1 with errno: it is not on disk. */
int credential_save_secret(struct credential *c, const struct statedir *state, const char *secret);

/* Reads the secret again: somebody may have joined anew with this state directory. True: it is
 * another one, and is the current credential now. */
bool credential_reread(struct credential *c, const struct statedir *state);

void credential_release(struct credential *c);

#endif
