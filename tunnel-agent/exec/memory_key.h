/* SPDX-License-Identifier: ISC */
/*
 * A key that lives only in memory: in an ssh-agent(1) of its own, which dies with this process.
 * ssh-keygen writes it into a FIFO that ssh-add reads, so no file ever has it. What is on disk,
 * below the state directory, are the socket, and the public half for ssh to choose the key by.
 */
#ifndef TUNLEASE_AGENT_EXEC_MEMORY_KEY_H
#define TUNLEASE_AGENT_EXEC_MEMORY_KEY_H

#include "tunnel-agent/host/statedir.h"
#include "tunnel-agent/host/why.h"

#include <sys/types.h>

enum { MEMORY_KEY_PATH_BYTES = 104 }; /* the smallest sun_path of any system, with the NUL */

struct memory_key {
    pid_t agent;                                 /* 0: none, or it has ended */
    char socket[MEMORY_KEY_PATH_BYTES];          /* for IdentityAgent */
    char fifo[MEMORY_KEY_PATH_BYTES];            /* gone when memory_key_make returns */
    char public_half[MEMORY_KEY_PATH_BYTES + 4]; /* for -i */
};

/* Starts the agent and makes the key; blocks for some hundred ms. 0, or -1 with a sentence in why.
 * Release k either way. */
int memory_key_make(struct memory_key *k, const struct statedir *state, char why[static WHY_BYTES]);

/* The agent has ended and was reaped: removes what it left. */
void memory_key_agent_ended(struct memory_key *k);

/* Ends the agent, whose key is gone with it, and removes its files. */
void memory_key_release(struct memory_key *k);

#endif
