/* SPDX-License-Identifier: ISC */
/* The agent's name at its gateway: made once, and kept. */
#ifndef TUNLEASE_AGENT_GATEWAY_AGENT_ID_H
#define TUNLEASE_AGENT_GATEWAY_AGENT_ID_H

#include "tunnel-agent/host/statedir.h"

/* STATE/agent_id, or wanted (may be NULL), which is then kept; else one that is made up. To be
 * freed; NULL with a sentence in why. */
char *agent_id_get(const struct statedir *state, const char *wanted, char why[static WHY_BYTES]);

#endif
