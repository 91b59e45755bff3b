/* SPDX-License-Identifier: ISC */
/* The registry of live sessions, as verbs ask it. */
#ifndef TUNLEASE_LEASECTL_SESSIONS_REGISTRY_H
#define TUNLEASE_LEASECTL_SESSIONS_REGISTRY_H

#include "leasectl/ctl.h"
#include "lib/session/registry.h"

#include <stdbool.h>
#include <stdint.h>

/* Opens the registry; EXIT_DONE or the exit code, printed. */
int sessions_open_registry(struct ctl *ctl, bool for_writing, struct registry *ret);

/* What RunDir still holds of a lease that was deleted. */
void sessions_forget_lease(struct ctl *ctl, int64_t lease_id);

/* How many live sessions a lease has, or -1 when it cannot be told. Reads the registry once a run.
 */
int64_t sessions_count(struct ctl *ctl, int64_t lease_id);

#endif
