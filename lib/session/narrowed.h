/* SPDX-License-Identifier: ISC */
/*
 * When the permits of a lease were last narrowed. sshd gets the permits of a login from akc before
 * the login is in the registry; how long before depends on the client and on other PAM modules. So
 * a login that is on its way may have the old permits, and no entry shows it. Therefore whoever
 * narrows a lease records the time, and a login that began before is refused. The client's next
 * login gets the new permits.
 *
 * The record is RunDir/lock/LEASEID.narrowed, protected by the lease's lock: the clock tick, and
 * the boot in which it was counted. A RunDir on disk outlives a boot, and a login that is on its
 * way does not, so a record of an earlier boot does not count.
 */
#ifndef TUNLEASE_SESSION_NARROWED_H
#define TUNLEASE_SESSION_NARROWED_H

#include "lib/session/registry.h"

/* Records that logins whose process started at ticks or before may have the old permits. Takes the
 * lock, until deadline_ms (clock_monotonic_ms). Returns 0, or -1 with errno. */
int narrowed_record(const struct registry *r, int64_t lease_id, uint64_t ticks,
                    int64_t deadline_ms);

/* The caller holds the lock. True if a login whose process started at start_ticks may have more
 * than the lease permits now: the lease was narrowed since, or the record cannot be read. */
bool narrowed_or_unknown_since(const struct registry *r, int64_t lease_id, uint64_t start_ticks);

#endif
