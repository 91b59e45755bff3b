/* SPDX-License-Identifier: ISC */
/* The agent's name at its gateway. It is made once and saved. */
#ifndef TUNLEASE_AGENT_GATEWAY_AGENT_ID_H
#define TUNLEASE_AGENT_GATEWAY_AGENT_ID_H

#include "tunnel-agent/host/statedir.h"

/* The id: wanted if that is not NULL, else that of STATE/agent_id, else a new UUID. Saves a new
 * one. For the caller to free; NULL with a sentence in why. */
char *agent_id_get(const struct statedir *state, const char *wanted, char why[static WHY_BYTES]);

#endif
