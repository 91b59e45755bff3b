/* SPDX-License-Identifier: ISC */
/* What leased's page reads of the store besides rows of the audit (audit_list.h): all leases in
 * short, and how long the audit is. */
#ifndef TUNLEASE_STORE_OVERVIEW_H
#define TUNLEASE_STORE_OVERVIEW_H

#include "lib/store/range.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

/* Of one lease; the texts are valid during the call, and are as the store has them: not checked. */
struct lease_in_short {
    int64_t id, expires_s, revoked_s;
    bool is_agent, is_live; /* is_live: not revoked */
    const char *name, *login;
    const char *open, *listen; /* lists of permits and agents, as lib/lease writes them */
};

/* Calls fn for each lease of the range, by id; if fn returns non-zero, that ends it: STORE_FAIL. */
typedef int (*lease_in_short_fn)(void *ctx, const struct lease_in_short *l);
enum store_rc store_leases_in_short(struct store *st, const struct lease_range *range,
                                    lease_in_short_fn fn, void *ctx);

/* How many rows the audit has. */
enum store_rc store_audit_count(struct store *st, int64_t *ret_count);

#endif
