/* SPDX-License-Identifier: ISC */
/* Counts sessions, for callers that need not know which they are. */
#ifndef TUNLEASE_SESSION_REGISTRY_COUNT_H
#define TUNLEASE_SESSION_REGISTRY_COUNT_H

#include "lib/session/registry.h"
#include "lib/session/session_list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Whether a lease has room for one more open session. SIGHT_IS: fewer than max of its sessions are
 * alive, or may be. Entries are first counted by their names, and read only if there are max or
 * more. SIGHT_CANNOT_TELL: the directory cannot be read, or not by deadline_ms
 * (clock_monotonic_ms); errno says why. Else *ret, to be released, has the sessions that were read;
 * it is empty if none had to be.
 */
enum sight registry_has_room(const struct registry *r, int64_t lease_id, size_t max,
                             int64_t deadline_ms, struct session_list *ret);

/* Counts the open sessions of a lease that are not known to be dead. Returns 0, or -1 with errno:
 * it cannot be told how many there are, which does not mean none. */
int registry_count(const char *run_dir, int64_t lease_id, size_t *ret);

/* True if it is certain that no registered session is alive. */
bool registry_has_none(const char *run_dir);

#endif
