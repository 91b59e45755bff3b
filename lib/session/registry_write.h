/* SPDX-License-Identifier: ISC */
/* What a session's own process writes of it in the registry: pam_tunnel's. */
#ifndef TUNLEASE_SESSION_REGISTRY_WRITE_H
#define TUNLEASE_SESSION_REGISTRY_WRITE_H

#include "lib/session/registry.h"
#include "lib/session/session.h"

#include <stdint.h>
#include <sys/types.h>

/* 0.PID, for a login that is about to be judged: from here on whoever revokes finds it. Newcomers
 * do not wait for one another, only for who clears. 0 or -1; EEXIST: a session of another pid
 * namespace has the name. */
int registry_add_opening(const struct registry *r, const struct session *s, int64_t deadline_ms);

/* LEASEID.PID in place of 0.PID. There is no moment in which neither is there. 0 or -1, as above.
 */
int registry_open_session(const struct registry *r, const struct session *s);

/* Takes both names of the caller's own session away. Needs no lock: while pid lives its names are
 * its own. Idempotent. */
void registry_remove_own(const struct registry *r, int64_t lease_id, pid_t pid);

#endif
