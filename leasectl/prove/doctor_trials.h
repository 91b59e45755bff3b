/* SPDX-License-Identifier: ISC */
/* What `leasectl doctor` finds, and the trials that it judges. */
#ifndef TUNLEASE_LEASECTL_PROVE_DOCTOR_TRIALS_H
#define TUNLEASE_LEASECTL_PROVE_DOCTOR_TRIALS_H

#include "leasectl/prove/proof.h"
#include "lib/base/buf.h"

struct doctor_findings {
    struct buf text; /* for people */
    struct buf json; /* objects with commas, as docs/schema/doctor.json has them */
    unsigned failed, count;
    bool ran; /* it came to its end */
};

/* Runs it, and adds the results of its trials. ret: to be released. */
void try_doctor(struct proof *p, struct doctor_findings *ret);
void doctor_findings_release(struct doctor_findings *f);

#endif
