/* SPDX-License-Identifier: ISC */
/* What is in the way of a lease. */
#ifndef TUNLEASE_STORE_CONFLICT_H
#define TUNLEASE_STORE_CONFLICT_H

#include "lib/lease/name.h"

#include <stdbool.h>
#include <stdint.h>

/* Who stands in the way of a STORE_CONFLICT. */
struct store_conflict {
    enum { CONFLICT_NAME, CONFLICT_KEY, CONFLICT_PORT } what;
    int64_t lease_id;
    char lease[LEASE_NAME_BYTES];
    bool expired; /* it is past its end, but still holds */
    unsigned port;
};

#endif
