/* SPDX-License-Identifier: ISC */
/* The agent's own key: made here once; the private key never leaves. */
#ifndef TUNLEASE_AGENT_SSH_KEY_H
#define TUNLEASE_AGENT_SSH_KEY_H

#include "tunnel-agent/host/why.h"

struct statedir;

/*
 * The public key line of STATE/agent.pem with id as its comment; the key is made with ssh-keygen
 * when it is not there. To be freed; NULL with a sentence in why.
 */
char *key_public(const struct statedir *state, const char *id, char why[static WHY_BYTES]);

#endif
