/* SPDX-License-Identifier: ISC */
/* Inside lib/store: `--open agent:NAME` is the port that the agent has when it is asked. */
#ifndef TUNLEASE_STORE_OPEN_AGENTS_H
#define TUNLEASE_STORE_OPEN_AGENTS_H

#include "lib/store/store.h"

struct lease;

/* Adds the ports of l->open_agents to l->open. An agent that is gone has none. */
enum store_rc open_agents_resolve(struct store *st, struct lease *l);

#endif
