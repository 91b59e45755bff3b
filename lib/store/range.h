/* SPDX-License-Identifier: ISC */
/* Some leases by number: a piece of what has to look at all of them. */
#ifndef TUNLEASE_STORE_RANGE_H
#define TUNLEASE_STORE_RANGE_H

#include <stdint.h>

/* The leases with numbers greater than after, up to last. */
struct lease_range {
    int64_t after, last;
};

#endif
