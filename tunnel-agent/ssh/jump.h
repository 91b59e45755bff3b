/* SPDX-License-Identifier: ISC */
/*
 * The ssh that ssh starts for a jump host. It gets none of our options, only the configuration,
 * which may make it a master that outlives us, or send it into the background. But ssh starts it by
 * its own argv[0]. So we start ssh under the name STATE/run/PID-bin/ssh, a link to this program,
 * which then adds the fixed options and executes the ssh in PATH.
 */
#ifndef TUNLEASE_AGENT_SSH_JUMP_H
#define TUNLEASE_AGENT_SSH_JUMP_H

#include <stdbool.h>

struct statedir;

/* Makes that link. Without it a jump host's ssh does not get the fixed options. */
void sshjump_prepare(const struct statedir *state);
void sshjump_remove(void);

/* The argv[0] for ssh: that link, or "ssh" without it. */
const char *sshjump_name(void);

/* For main: true if this program was started by that name, and must call sshjump_exec. */
bool sshjump_is_invoked(const char *argv0);

/* Becomes ssh with the fixed options; returns an exit status only if that failed. */
int sshjump_exec(int argc, char **argv);

#endif
