/* SPDX-License-Identifier: ISC */
/*
 * The ssh that ssh runs for a jump host. It has only the configuration, which may make it a master
 * that outlives us or send it into the background. ssh runs it by the name that it was run by
 * itself, so it is run as PID-bin/ssh in the state directory's run: this program, which adds what
 * is to hold and becomes the ssh of the PATH.
 */
#ifndef TUNLEASE_AGENT_SSH_JUMP_H
#define TUNLEASE_AGENT_SSH_JUMP_H

#include <stdbool.h>

struct statedir;

/* Makes that name; without it, and where it cannot be made, a jump host's ssh is as it was. */
void sshjump_prepare(const struct statedir *state);
void sshjump_remove(void);

/* What ssh is to see as its argv[0]. */
const char *sshjump_name(void);

/* For main: was this program run by that name? Then sshjump_exec ends in another program. */
bool sshjump_is_invoked(const char *argv0);
int sshjump_exec(int argc, char **argv);

#endif
