/* SPDX-License-Identifier: ISC */
/*
 * What every ssh of ours is told, whatever a configuration says. ssh takes the first value that it
 * meets of an option, so these stand before the user's words and files: nothing may detach the
 * connection, share it, put another in its place or take its forwards away, or the supervision
 * would not hold; and the far side cannot reach back.
 */
#ifndef TUNLEASE_AGENT_SSH_FIXED_OPTIONS_H
#define TUNLEASE_AGENT_SSH_FIXED_OPTIONS_H

#include <stddef.h>

enum { SSHFIXED_MAX = 24 }; /* the most that sshfixed_option returns */

/* Setting i, NAME=VALUE for -o; NULL behind the last. One that the ssh at hand is too old to know
 * (OpenSSH from 8.2 on is enough) is left out: it stops at an unknown name. */
const char *sshfixed_option(size_t i);

/* The same for the ssh of a jump host (jump.h). A master that a person started may carry it
 * still: for a hub that wants more than a key that is the only way in. */
const char *sshfixed_jump_option(size_t i);

/* The same for host keys, where only a file of ours may vouch for the host. */
const char *sshfixed_host_key_option(size_t i);

/* Runs ssh, once for each setting that is not in every version: to be called before the loop, else
 * the first use waits for it. */
void sshfixed_learn(void);

/* Another ssh may stand there now: it is asked anew. */
void sshfixed_forget(void);

#endif
