/* SPDX-License-Identifier: ISC */
/* Reads the registry: which sessions it names, and which of them are alive. */
#ifndef TUNLEASE_SESSION_REGISTRY_READ_H
#define TUNLEASE_SESSION_REGISTRY_READ_H

#include "lib/session/registry.h"
#include "lib/session/session_list.h"

#include <stdint.h>

enum {
    REGISTRY_SESSIONS_MAX = 100000, /* with more sessions reading fails */
    REGISTRY_NAMES_MAX = 1000000, /* with more entries, those of the dead included, reading fails */
};

/*
 * Reads the live and the unseen sessions, sorted by pid. lease_id 0: those of all leases. Else
 * those of that lease, and all that are opening, because their lease is not known yet. A session
 * that opens meanwhile is neither missed nor listed twice. Changes nothing. Returns 0, or -1 with
 * errno: it cannot be told which sessions there are.
 */
int registry_read(const struct registry *r, int64_t lease_id, struct session_list *ret);

/* Reads the open sessions of one lease, and no other entry. A caller that holds the lock of the
 * lease misses none; without the lock, a session that opens meanwhile may be missed. Fails with
 * ETIMEDOUT if it is not done by deadline_ms (clock_monotonic_ms). */
int registry_read_open(const struct registry *r, int64_t lease_id, int64_t deadline_ms,
                       struct session_list *ret);

#endif
