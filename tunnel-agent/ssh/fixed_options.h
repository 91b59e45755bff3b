/* SPDX-License-Identifier: ISC */
/*
 * Options that every ssh of ours gets, whatever the user's configuration says. ssh takes the first
 * value of an option, so these come before the user's options and files. They ensure that nothing
 * detaches the connection, shares it, replaces it by another or removes its forwards, since we
 * could not supervise it then; and that the far side cannot reach back.
 */
#ifndef TUNLEASE_AGENT_SSH_FIXED_OPTIONS_H
#define TUNLEASE_AGENT_SSH_FIXED_OPTIONS_H

#include <stddef.h>

enum { SSHFIXED_MAX = 24 }; /* how many sshfixed_option has at most */

/* Setting i, NAME=VALUE for -o; NULL after the last. Skips one that the installed ssh (8.2 or
 * later) is too old for, because ssh stops at a name that it does not know. */
const char *sshfixed_option(size_t i);

/* The same for the ssh of a jump host (jump.h). That ssh may still use a master connection that a
 * person started: it is the only way through a jump host that wants more than a key. */
const char *sshfixed_jump_option(size_t i);

/* The same for the options that stop ssh from trusting any host key but those in a file of ours. */
const char *sshfixed_host_key_option(size_t i);

/* Finds out which settings the installed ssh knows, by running it once for each newer one. Call it
 * before the loop: else the first use blocks to do so. */
void sshfixed_learn(void);

/* Forgets that: another ssh may be installed now. */
void sshfixed_forget(void);

#endif
