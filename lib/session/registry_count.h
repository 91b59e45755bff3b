/* SPDX-License-Identifier: ISC */
/* How many sessions there are, for who need not know which. */
#ifndef TUNLEASE_SESSION_REGISTRY_COUNT_H
#define TUNLEASE_SESSION_REGISTRY_COUNT_H

#include "lib/session/registry.h"
#include "lib/session/session_list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Whether a lease may have one open session more: it has fewer than max that are not known to be
 * dead. SIGHT_CANNOT_TELL: the directory cannot be read, or not by deadline_ms; errno says why. As
 * long as it has fewer entries than max, none is opened. *ret, to be released: those that were
 * read, when that had to be.
 */
enum sight registry_has_room(const struct registry *r, int64_t lease_id, size_t max,
                             int64_t deadline_ms, struct session_list *ret);

/* How many open sessions a lease has that are not known to be dead. 0, or -1 with errno set: it
 * cannot be told, which is not none. */
int registry_count(const char *run_dir, int64_t lease_id, size_t *ret);

/* Whether it is known that no session is registered that may be there. */
bool registry_has_none(const char *run_dir);

#endif
