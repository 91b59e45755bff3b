/* SPDX-License-Identifier: ISC */
/* What verbs do with the registry of live sessions. */
#ifndef TUNLEASE_LEASECTL_SESSIONS_REGISTRY_H
#define TUNLEASE_LEASECTL_SESSIONS_REGISTRY_H

#include "leasectl/ctl.h"
#include "lib/session/registry.h"

#include <stdbool.h>
#include <stdint.h>

/* Opens the registry; for_writing, as root, makes what is missing. EXIT_DONE, or the exit code with
 * the error printed. */
int sessions_open_registry(struct ctl *ctl, bool for_writing, struct registry *ret);

/* Removes what RunDir still has of a deleted lease. */
void sessions_forget_lease(struct ctl *ctl, int64_t lease_id);

/* The number of live sessions of a lease, or -1 when it is unknown. Only the first call reads the
 * registry. */
int64_t sessions_count(struct ctl *ctl, int64_t lease_id);

#endif
