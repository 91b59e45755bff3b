/* SPDX-License-Identifier: ISC */
/* Why an attempt came out wrong, as `leasectl explain` answers it. */
#ifndef TUNLEASE_LEASECTL_PROBE_CAUSE_H
#define TUNLEASE_LEASECTL_PROBE_CAUSE_H

#include "leasectl/ctl.h"
#include "leasectl/probe/attempt.h"
#include "leasectl/probe/destination.h"
#include "lib/lease/lease.h"

struct cause_question {
    struct ctl *ctl;
    const struct destination *to;
    const struct lease *lease;           /* the probe, which must be in the store */
    const struct attempt_target *target; /* with attempt */
    const struct attempt *attempt;       /* NULL: the login alone */
};

/* Both need the store closed. Each adds a clause, after "; ". */

/* What must be allowed was refused: adds which layer refuses it, and what mends that. */
void cause_add(const struct cause_question *q, struct buf *text);

/* What must be refused was allowed; attempt NULL: a login. */
void cause_add_of_hole(const struct cause_question *q, struct buf *text);

#endif
