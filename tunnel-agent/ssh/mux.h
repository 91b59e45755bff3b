/* SPDX-License-Identifier: ISC */
/* The ssh that runs already, asked through its own socket (ssh -O). */
#ifndef TUNLEASE_AGENT_SSH_MUX_H
#define TUNLEASE_AGENT_SSH_MUX_H

struct forward;

/* Has the ssh whose socket this is (sshargs_plan's mux_sock) hold one forward more. 0 or -1. Waits:
 * for a job. */
int sshmux_add_forward(const char *mux_sock, const struct forward *f);

#endif
