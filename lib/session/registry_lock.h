/* SPDX-License-Identifier: ISC */
/* The locks on what is done to a lease's sessions: RunDir/lock/LEASEID. */
#ifndef TUNLEASE_SESSION_REGISTRY_LOCK_H
#define TUNLEASE_SESSION_REGISTRY_LOCK_H

#include "lib/session/registry.h"

#include <stdint.h>

/* A lock on what is done to one lease's sessions, waited for until deadline_ms
 * (clock_monotonic_ms). A descriptor to be closed, or -1: ETIMEDOUT, or another error. Number 0:
 * entries without a lease. */
int registry_lock(const struct registry *r, int64_t lease_id, int64_t deadline_ms);

/* The same beside others who share it: against who changes or clears what the lease's newcomers
 * have in common, not against another newcomer. */
int registry_lock_shared(const struct registry *r, int64_t lease_id, int64_t deadline_ms);

/* Shared, on the entries that have no lease yet: against who clears them. */
int registry_lock_openings(const struct registry *r, int64_t deadline_ms);

/* Takes the lock file of a lease that is no more away, and what narrowed_record wrote, unless
 * somebody holds it. */
void registry_remove_lock_file(const struct registry *r, int64_t lease_id);

#endif
