/* SPDX-License-Identifier: ISC */
/* Numbers of leases, ports and audit rows. */
#ifndef TUNLEASE_STORE_COUNTS_H
#define TUNLEASE_STORE_COUNTS_H

#include "lib/store/range.h"
#include "lib/store/store.h"

#include <stdint.h>

struct store_counts {
    int64_t active[2], expired[2], revoked[2]; /* [0]: grants, [1]: agents */
    int64_t next_expiry_s;                     /* 0: none */
    int64_t audit_rows;
    int64_t ports_held, ports_quarantined;
};
/* store_count_leases adds the leases of one range to *counts. store_count_rest sets the other
 * numbers. */
enum store_rc store_count_leases(struct store *st, const struct lease_range *range, int64_t now_s,
                                 struct store_counts *counts);
enum store_rc store_count_rest(struct store *st, struct store_counts *counts);

#endif
