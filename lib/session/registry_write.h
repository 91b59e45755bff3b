/* SPDX-License-Identifier: ISC */
/* What the process of a session writes about itself to the registry; used by pam_tunnel. */
#ifndef TUNLEASE_SESSION_REGISTRY_WRITE_H
#define TUNLEASE_SESSION_REGISTRY_WRITE_H

#include "lib/session/registry.h"
#include "lib/session/session.h"

#include <stdint.h>
#include <sys/types.h>

/* Writes 0.PID for a login that is about to be judged; from here on whoever revokes finds it.
 * Newcomers do not wait for one another, only for whoever removes dead entries. Returns 0, or -1
 * with errno. EEXIST: a session of another pid namespace has this name. ETIMEDOUT: not by
 * deadline_ms (clock_monotonic_ms). */
int registry_add_opening(const struct registry *r, const struct session *s, int64_t deadline_ms);

/* Replaces 0.PID by LEASEID.PID. At every moment one of them exists. Returns 0, or -1 as above. */
int registry_open_session(const struct registry *r, const struct session *s);

/* Removes both names of the caller's own session. Needs no lock: while the process lives, the names
 * with its pid are its own. May be called again. */
void registry_remove_own(const struct registry *r, int64_t lease_id, pid_t pid);

#endif
