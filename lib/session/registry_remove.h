/* SPDX-License-Identifier: ISC */
/* Takes the entries of sessions away that are dead or have ended. */
#ifndef TUNLEASE_SESSION_REGISTRY_REMOVE_H
#define TUNLEASE_SESSION_REGISTRY_REMOVE_H

#include "lib/session/registry.h"
#include "lib/session/session_list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Takes entries away that list found dead, and that still are: of lease_id, whose lock the caller
 * holds, and at most so many. Returns how many.
 */
size_t registry_remove_dead_locked(const struct registry *r, int64_t lease_id,
                                   const struct session_list *list, size_t most);

/*
 * Takes both names away of another process's session that has ended, as far as they are still its
 * own: its number may be another's by now. lease_held: the caller holds the lock of s->lease_id;
 * else what is locked, by deadline_ms (clock_monotonic_ms), is left for another time.
 */
void registry_remove_ended(const struct registry *r, const struct session *s, bool has_lease_lock,
                           int64_t deadline_ms);

/*
 * The same of all that list found, for who holds no lock: of a lease whose lock is held they are
 * left for another time, as they are after deadline_ms (clock_monotonic_ms). Nothing where r was
 * not opened for writing, or is another's.
 */
size_t registry_remove_dead(const struct registry *r, const struct session_list *list,
                            int64_t deadline_ms);

#endif
