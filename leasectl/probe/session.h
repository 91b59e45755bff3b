/* SPDX-License-Identifier: ISC */
/* Attempts to get a session: a shell, a command, or file transfer. */
#ifndef TUNLEASE_LEASECTL_PROBE_SESSION_H
#define TUNLEASE_LEASECTL_PROBE_SESSION_H

#include "leasectl/probe/ssh.h"
#include "leasectl/probe/target.h"
#include "leasectl/probe/verdict.h"

/* Computed by the far shell, so that an echo of what was typed cannot look like it. */
#define MARK_SCRIPT "echo tun$((40+2))lease"

/* words: ssh's options and, after "--", the command. input: for its standard input, or NULL.
 * ATTEMPT_ALLOWED when the answer of MARK_SCRIPT comes back. a: as ssh_begin made it. */
enum attempt_verdict try_session(struct ssh_args *a, const struct attempt_target *t,
                                 const char *const words[4], const char *input,
                                 char evidence[static ATTEMPT_EVIDENCE_BYTES]);

/* ATTEMPT_ALLOWED when the sftp subsystem answers. */
enum attempt_verdict try_sftp(struct ssh_args *a, const struct attempt_target *t,
                              char evidence[static ATTEMPT_EVIDENCE_BYTES]);

#endif
