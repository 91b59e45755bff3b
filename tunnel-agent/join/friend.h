/* SPDX-License-Identifier: ISC */
/* A friend's lease: its leg in STATE/tunnels.conf, which `tunnel-agent -c` reads. */
#ifndef TUNLEASE_AGENT_JOIN_FRIEND_H
#define TUNLEASE_AGENT_JOIN_FRIEND_H

#include "tunnel-agent/config/leg.h"
#include "tunnel-agent/host/statedir.h"

struct join_key;
struct join_words;
struct joined;

#define FRIEND_FILE "tunnels.conf"

/* NULL: a leg can be added to the file, or there is none yet. Else why not, which is put into why.
 * To be asked before a code is spent. */
const char *friend_file_problem(const struct statedir *state, char why[static WHY_BYTES]);

/*
 * Adds a leg for the lease and puts a copy of it into *ret, which is the caller's to release. No
 * leg that is there is changed: where its name or a local port is taken, by a leg of the file or a
 * program that listens, this leg gets another. A leg that leads to the same is not added again. The
 * file is the old or the new one at any time. 0, or -1 with a sentence in why.
 */
int friend_add(const struct statedir *state, const struct join_words *words,
               const struct join_key *key, const struct joined *lease, struct leg *ret,
               char why[static WHY_BYTES]);

#endif
