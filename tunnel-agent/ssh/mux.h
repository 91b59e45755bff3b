/* SPDX-License-Identifier: ISC */
/* Controls an ssh that runs, through its socket (ssh -O). */
#ifndef TUNLEASE_AGENT_SSH_MUX_H
#define TUNLEASE_AGENT_SSH_MUX_H

struct forward;

/* Has the ssh that listens at mux_sock of its sshargs_plan open one more forward. 0 or -1. It
 * blocks: call it inside a job. */
int sshmux_add_forward(const char *mux_sock, const struct forward *f);

#endif
