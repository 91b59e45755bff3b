/* SPDX-License-Identifier: ISC */
/* The agent's own key. It is made once, and the private key never leaves this host. */
#ifndef TUNLEASE_AGENT_SSH_KEY_H
#define TUNLEASE_AGENT_SSH_KEY_H

#include "tunnel-agent/host/why.h"

struct statedir;

/*
 * The public key line of STATE/agent.pem, with id as its comment; for the caller to free.
 * ssh-keygen makes the key if it is missing. NULL with a sentence in why.
 */
char *key_public(const struct statedir *state, const char *id, char why[static WHY_BYTES]);

/* The same of another file of the state directory. */
char *key_public_in(const struct statedir *state, const char *file, const char *id,
                    char why[static WHY_BYTES]);

#endif
