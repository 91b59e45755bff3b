/* SPDX-License-Identifier: ISC */
/* Removes entries of sessions that are dead or have ended. */
#ifndef TUNLEASE_SESSION_REGISTRY_REMOVE_H
#define TUNLEASE_SESSION_REGISTRY_REMOVE_H

#include "lib/session/registry.h"
#include "lib/session/session_list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Removes entries of lease_id that list found dead and that still are, at most `most` of them. The
 * caller holds the lock of the lease. Returns how many were removed.
 */
size_t registry_remove_dead_locked(const struct registry *r, int64_t lease_id,
                                   const struct session_list *list, size_t most);

/*
 * Removes both names of a session that another process had and that has ended, as far as they are
 * still its own: another login may have its pid by now. has_lease_lock: the caller holds the lock
 * of s->lease_id. A name whose lock is not free by deadline_ms (clock_monotonic_ms) is left for a
 * later caller.
 */
void registry_remove_ended(const struct registry *r, const struct session *s, bool has_lease_lock,
                           int64_t deadline_ms);

/*
 * Removes all entries that list found dead and that still are. Takes the lock of each lease in
 * turn. If another holds it, entries of that lease are left for a later caller, as is everything
 * after deadline_ms (clock_monotonic_ms). Removes nothing if lock/ is not open in r, or if
 * sessions/ belongs to another user. Returns how many were removed.
 */
size_t registry_remove_dead(const struct registry *r, const struct session_list *list,
                            int64_t deadline_ms);

#endif
