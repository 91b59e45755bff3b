/* SPDX-License-Identifier: ISC */
/* The lease that conflicts with a change. */
#ifndef TUNLEASE_STORE_CONFLICT_H
#define TUNLEASE_STORE_CONFLICT_H

#include "lib/lease/name.h"

#include <stdbool.h>
#include <stdint.h>

/* Which lease already has the name, key or port when a call returns STORE_CONFLICT; of
 * CONFLICT_INVITE the open invite that reserves the name. */
struct store_conflict {
    enum { CONFLICT_NAME, CONFLICT_KEY, CONFLICT_PORT, CONFLICT_INVITE } what;
    int64_t lease_id; /* or that of the invite */
    char lease[LEASE_NAME_BYTES];
    bool expired; /* it has expired, but still holds the name, key or port */
    unsigned port;
};

#endif
