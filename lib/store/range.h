/* SPDX-License-Identifier: ISC */
/* A range of leases by id: one step of a walk through all leases. */
#ifndef TUNLEASE_STORE_RANGE_H
#define TUNLEASE_STORE_RANGE_H

#include <stdint.h>

/* The leases with after < id <= last. */
struct lease_range {
    int64_t after, last;
};

#endif
