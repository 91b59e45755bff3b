/* SPDX-License-Identifier: ISC */
/* Who may reach what until when, and who is connected now: for people and as JSON. */
#ifndef TUNLEASE_LEASECTL_PROVE_LEASES_H
#define TUNLEASE_LEASECTL_PROVE_LEASES_H

#include "leasectl/prove/proof.h"
#include "leasectl/prove/verifies.h"
#include "lib/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

enum { LEASES_LISTED_MAX = 50000 }; /* some 50 MB; what is left out is counted, and not proved */

struct leases_report {
    struct buf text, json; /* json: objects with commas, as docs/schema/lease.json has them */
    size_t active, listed;
    struct buf beyond; /* those that exceed the ceiling, up to some of them */
    size_t beyond_count;
    struct buf freezes;  /* for people; empty: none */
    const char *problem; /* why they could not be read; NULL: they were */
};

/* Reads the active leases, adds their logins to v, and judges the trial of the ceiling. ret: to be
 * released. */
void read_leases(struct proof *p, struct verifies *v, struct leases_report *ret);
void leases_report_release(struct leases_report *r);

struct sessions_report {
    struct buf text, json; /* json: objects with commas, as docs/schema/prove.json has them */
    size_t count;
    const char *problem;
};

/* Reads the live sessions. ret: to be released. */
void read_sessions(struct proof *p, struct sessions_report *ret);
void sessions_report_release(struct sessions_report *r);

#endif
