/* SPDX-License-Identifier: ISC */
/* What an agent says of itself: id, key, host and user. */
#ifndef TUNLEASE_AGENT_GATEWAY_IDENTITY_H
#define TUNLEASE_AGENT_GATEWAY_IDENTITY_H

#include "lib/lease/name.h"
#include "lib/lease/permit.h"
#include "tunnel-agent/host/statedir.h"

struct identity {
    char *agent_id, *public_key;                /* owned */
    char hostname[256], user[LOGIN_NAME_BYTES]; /* user: "" if nobody logs in as it */
};

/* Fills a zeroed *i, to be released in any case, and makes the id and key if they are missing.
 * wanted_id: of --agent-id, or NULL. 0, or -1 with a sentence in why. */
int identity_read(struct identity *i, const struct statedir *state, const char *wanted_id,
                  char why[static WHY_BYTES]);
/* Reads the key again: somebody may have joined anew with this state directory. It blocks for a
 * moment. What cannot be read stays as it was. */
void identity_reread(struct identity *i, const struct statedir *state);
void identity_release(struct identity *i);

#endif
