/* SPDX-License-Identifier: ISC */
/*
 * The key that a lease is to be for. It runs ssh-keygen and blocks.
 *
 * Where the state directory is an agent's already, each further code gets a key of its own: the
 * agent's may have been copied, and only a new key shuts a thief out. Until it is settled it lies
 * in next.pem, so that the same line, after a lost answer or a kill, joins with the same key.
 */
#ifndef TUNLEASE_AGENT_JOIN_JOIN_KEY_H
#define TUNLEASE_AGENT_JOIN_JOIN_KEY_H

#include "lib/base/base64.h"
#include "tunnel-agent/host/statedir.h"

#include <stdbool.h>

struct join_key {
    char *path; /* owned: absolute; the file of the private key */
    char fingerprint[FINGERPRINT_BYTES];
    bool is_own;  /* it is one of the state directory */
    bool is_next; /* it is new, and not settled */
};

/* Finds the key in identity; or, if that is NULL, the one in the state directory, which is made if
 * it is missing. To be released in any case. 0, or -1 with a sentence in why. */
int join_key_find(struct join_key *ret, const struct statedir *state, const char *identity,
                  const char *code, char why[static WHY_BYTES]);

/* Makes the key that of the state directory, which is the only one that an agent uses. A key that
 * is there already is never replaced by another. 0, or -1 with a sentence in why. */
int join_key_adopt(const struct join_key *key, const struct statedir *state, const char *agent_id,
                   char why[static WHY_BYTES]);

/* Gives a key that is next its place: that of agent.pem, or beside it, which changes path. 0, or -1
 * with a sentence in why. */
int join_key_become_agents(struct join_key *key, const struct statedir *state, const char *code,
                           char why[static WHY_BYTES]);
int join_key_become_friends(struct join_key *key, const struct statedir *state,
                            char why[static WHY_BYTES]);

/* The lease is written down: remembers which key this code was redeemed with. */
void join_key_settle(struct join_key *key, const struct statedir *state, const char *code);

void join_key_release(struct join_key *key);

#endif
