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

/* The same, but a shared lock: newcomers of a lease hold it side by side. It keeps out whoever
 * takes registry_lock, to narrow the lease or to remove its dead entries. */
int registry_lock_shared(const struct registry *r, int64_t lease_id, int64_t deadline_ms);

/* A shared lock on the entries that have no lease yet: keeps out whoever removes dead ones. */
int registry_lock_openings(const struct registry *r, int64_t deadline_ms);

/* Removes the lock file of a deleted lease, and what narrowed_record wrote, unless somebody holds
 * the lock. */
void registry_remove_lock_file(const struct registry *r, int64_t lease_id);

#endif
