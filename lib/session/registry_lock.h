/* SPDX-License-Identifier: ISC */
/* Locks on the sessions of a lease: flock(2) of RunDir/lock/LEASEID. */
#ifndef TUNLEASE_SESSION_REGISTRY_LOCK_H
#define TUNLEASE_SESSION_REGISTRY_LOCK_H

#include "lib/session/registry.h"

#include <stdint.h>

/* Locks the sessions of one lease, or the entries that have no lease yet (lease_id 0). Waits until
 * deadline_ms (clock_monotonic_ms). Returns a descriptor, to be closed to release the lock, or -1
 * with errno (ETIMEDOUT: another holds it). */
int registry_lock(const struct registry *r, int64_t lease_id, int64_t deadline_ms);

/* The same, shared with other newcomers: it excludes whoever changes or removes what the newcomers
 * of the lease have in common. */
int registry_lock_shared(const struct registry *r, int64_t lease_id, int64_t deadline_ms);

/* Shared, on the entries that have no lease yet: excludes whoever removes such entries. */
int registry_lock_openings(const struct registry *r, int64_t deadline_ms);

/* Removes the lock file of a deleted lease, and what narrowed_record wrote, unless somebody holds
 * the lock. */
void registry_remove_lock_file(const struct registry *r, int64_t lease_id);

#endif
