/* SPDX-License-Identifier: ISC */
/* The audit: its chain, what guards it, and its head. */
#ifndef TUNLEASE_LEASECTL_PROVE_AUDIT_TRIALS_H
#define TUNLEASE_LEASECTL_PROVE_AUDIT_TRIALS_H

#include "leasectl/prove/proof.h"
#include "lib/store/audit_verify.h"

#include <stdbool.h>
#include <stdint.h>

struct audit_proof {
    bool known;    /* the head was read; else the rest is not set */
    bool verified; /* the chain was read, too; else report has the head alone */
    struct audit_report report;
};

/* Also writes the head to the system log, as a checkpoint does. own_lease_id: a lease that this run
 * made, and deleted; 0: none. To be called last. */
void try_audit(struct proof *p, int64_t own_lease_id, struct audit_proof *ret);

#endif
