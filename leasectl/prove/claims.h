/* SPDX-License-Identifier: ISC */
/* The claims of docs/security.md, as that page states them (claims.awk). */
#ifndef TUNLEASE_LEASECTL_PROVE_CLAIMS_H
#define TUNLEASE_LEASECTL_PROVE_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>

struct claim {
    const char *section; /* the heading of docs/security.md below which it stands */
    const char *text;
    const char *trials;    /* the ids of its trials (trials.h), with a blank between; NULL: none */
    const char *not_tried; /* why there are none, as a clause; NULL: there are some */
};

extern const struct claim *const claims;
extern const size_t claim_count;

/* True if id is one of the claim's trials. */
bool claim_has_trial(const struct claim *c, const char *id);

#endif
