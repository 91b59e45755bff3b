/* SPDX-License-Identifier: ISC */
/* A tunnel without forwards, made by a real ssh. */
#ifndef TUNLEASE_LEASECTL_PROBE_TUNNEL_H
#define TUNLEASE_LEASECTL_PROBE_TUNNEL_H

#include "leasectl/child.h"
#include "leasectl/probe/target.h"
#include "leasectl/probe/verdict.h"
#include "lib/session/sight.h"

enum { TUNNEL_MS = 6000 };

/* Starts one that stays up until sshd's side ends it. 0 when it is up, else -1. The caller releases
 * *c in either case. */
int tunnel_open(const struct attempt_target *t, struct child *c);

/* Whether sshd refuses the target's key. evidence: what ssh printed about that. SIGHT_CANNOT_TELL:
 * it was neither let in nor refused. */
enum sight tunnel_is_refused(const struct attempt_target *t,
                             char evidence[static ATTEMPT_EVIDENCE_BYTES]);

#endif
