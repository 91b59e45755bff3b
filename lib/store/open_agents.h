/* SPDX-License-Identifier: ISC */
/* Inside lib/store: resolves `--open agent:NAME` to the port that the agent has now. */
#ifndef TUNLEASE_STORE_OPEN_AGENTS_H
#define TUNLEASE_STORE_OPEN_AGENTS_H

#include "lib/store/store.h"

struct lease;

/* Adds the ports of the agents in l->open_agents to l->open. An agent that is gone adds none. */
enum store_rc open_agents_resolve(struct store *st, struct lease *l);

#endif
