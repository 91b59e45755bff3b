/* SPDX-License-Identifier: ISC */
/* Controls a running ssh through its control socket (ssh -O). */
#ifndef TUNLEASE_AGENT_SSH_MUX_H
#define TUNLEASE_AGENT_SSH_MUX_H

struct forward;

/* Tells the ssh whose control socket is mux_sock (struct sshargs_plan) to open one more forward. 0
 * or -1. It blocks: call it inside a job. */
int sshmux_add_forward(const char *mux_sock, const struct forward *f);

#endif
