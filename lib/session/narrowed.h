/* SPDX-License-Identifier: ISC */
/*
 * When a lease's permits were last narrowed. sshd takes a login's permits from akc before the login
 * is in the registry, and how long before depends on the client and on other PAM modules: who was
 * on the way in may hold the old ones, and no entry shows it. So the change leaves its time behind,
 * and a login that began before it is refused; the next one gets the new permits.
 *
 * RunDir/lock/LEASEID.narrowed, guarded by the lease's lock: the tick, and the boot that it is of.
 * A RunDir on disk outlives a boot, and no login on its way does: a note of another boot is none.
 */
#ifndef TUNLEASE_SESSION_NARROWED_H
#define TUNLEASE_SESSION_NARROWED_H

#include "lib/session/registry.h"

/* For logins whose process started at ticks or before. Takes the lock. 0, or -1 with errno set. */
int narrowed_record(const struct registry *r, int64_t lease_id, uint64_t ticks,
                    int64_t deadline_ms);

/* Under the lock: whether a login that started then may hold more than the lease permits now. What
 * cannot be read counts as yes. */
bool narrowed_or_unknown_since(const struct registry *r, int64_t lease_id, uint64_t start_ticks);

#endif
