/* SPDX-License-Identifier: ISC */
/* What leasectl prove tries: each trial by the id that docs/security.md names. */
#ifndef TUNLEASE_LEASECTL_PROVE_TRIALS_H
#define TUNLEASE_LEASECTL_PROVE_TRIALS_H

#include <stddef.h>

struct trial {
    const char *id;
    const char *how; /* how it is tried, for people */
};

extern const struct trial trials[];
extern const size_t trial_count;

/* NULL: there is none of this id. */
const struct trial *trial_find(const char *id);

#endif
