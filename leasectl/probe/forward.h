/* SPDX-License-Identifier: ISC */
/* Attempts to get a forward: each starts ssh, and sees whether data comes through. */
#ifndef TUNLEASE_LEASECTL_PROBE_FORWARD_H
#define TUNLEASE_LEASECTL_PROBE_FORWARD_H

#include "leasectl/probe/ssh.h"
#include "leasectl/probe/target.h"
#include "leasectl/probe/verdict.h"

#include <stdbool.h>

/* -L to a place, or -D and then SOCKS5 to it. a: as ssh_begin made it, here and below. */
enum attempt_verdict try_local(struct ssh_args *a, const struct attempt_target *t, const char *to,
                               bool dynamic, char evidence[static ATTEMPT_EVIDENCE_BYTES]);

/* -W to a place. */
enum attempt_verdict try_stdio(struct ssh_args *a, const struct attempt_target *t, const char *to,
                               char evidence[static ATTEMPT_EVIDENCE_BYTES]);

/* -R with bind as its address, to a service of ours. */
enum attempt_verdict try_reverse(struct ssh_args *a, const struct attempt_target *t,
                                 const char *bind, char evidence[static ATTEMPT_EVIDENCE_BYTES]);

/* -w, a tun device. */
enum attempt_verdict try_tun(struct ssh_args *a, const struct attempt_target *t, const char *unit,
                             char evidence[static ATTEMPT_EVIDENCE_BYTES]);

#endif
