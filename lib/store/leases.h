/* SPDX-License-Identifier: ISC */
/* Leases as the admin and the daemon see them, read whole. */
#ifndef TUNLEASE_STORE_LEASES_H
#define TUNLEASE_STORE_LEASES_H

#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct lease;

/* Each gives the whole lease with its keys, to be released. By name: the live one, else the newest.
 */
enum store_rc store_lease_by_id(struct store *st, int64_t id, struct lease *ret);
enum store_rc store_lease_by_name(struct store *st, const char *name, struct lease *ret);

struct store_filter {
    bool all;          /* expired and revoked ones too */
    const char *login; /* NULL: any */
    int64_t now_s;
    int64_t before_s; /* only those that end by then; INT64_MAX: all */
};
typedef int (*store_lease_fn)(void *ctx, const struct lease *l);
enum store_rc store_lease_list(struct store *st, const struct store_filter *filter,
                               store_lease_fn fn, void *ctx);

#endif
