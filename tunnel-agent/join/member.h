/* SPDX-License-Identifier: ISC */
/* An agent's lease: the state directory as a first register would have left it. */
#ifndef TUNLEASE_AGENT_JOIN_MEMBER_H
#define TUNLEASE_AGENT_JOIN_MEMBER_H

#include "tunnel-agent/host/statedir.h"

#include <stdbool.h>

struct join_key;
struct register_answer;

/*
 * Writes what the gateway answered: id, key, host keys, login, secret. An earlier membership under
 * this name ends with it; one under another name is never overwritten. Killed in between, it is
 * completed by joining again. host_is_pinned: --host-key names the gateway's host key. 0, or -1
 * with a sentence in why.
 */
int member_save(const struct statedir *state, const struct join_key *key,
                const struct register_answer *a, bool host_is_pinned, char why[static WHY_BYTES]);

#endif
