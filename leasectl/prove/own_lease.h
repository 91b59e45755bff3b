/* SPDX-License-Identifier: ISC */
/* What is tried with a lease of prove's own, which has two keys and room for two sessions. */
#ifndef TUNLEASE_LEASECTL_PROVE_OWN_LEASE_H
#define TUNLEASE_LEASECTL_PROVE_OWN_LEASE_H

#include "leasectl/prove/proof.h"
#include "leasectl/prove/verifies.h"

#include <stdint.h>

/* Makes the lease on ForwardLogin, tries, and deletes it. *ret_lease_id: its number, which the
 * audit has; 0: it was never added. v gets its turn now and then. */
void try_own_lease(struct proof *p, struct verifies *v, int64_t *ret_lease_id);

#endif
