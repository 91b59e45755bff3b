/* SPDX-License-Identifier: ISC */
/* Reads whole leases, for the admin and for leased. */
#ifndef TUNLEASE_STORE_LEASES_H
#define TUNLEASE_STORE_LEASES_H

#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct lease;

/* Both return the whole lease with its keys; release it with lease_release. By name: the lease that
 * is not revoked, else the newest. */
enum store_rc store_lease_by_id(struct store *st, int64_t id, struct lease *ret);
enum store_rc store_lease_by_name(struct store *st, const char *name, struct lease *ret);

struct store_filter {
    bool all;          /* include expired and revoked leases */
    const char *login; /* NULL: any */
    int64_t now_s;
    int64_t before_s; /* only leases that end by then; INT64_MAX: all */
};
/* Calls fn for each lease that passes the filter; if fn returns non-zero, that ends it: STORE_FAIL.
 */
typedef int (*store_lease_fn)(void *ctx, const struct lease *l);
enum store_rc store_lease_list(struct store *st, const struct store_filter *filter,
                               store_lease_fn fn, void *ctx);

#endif
