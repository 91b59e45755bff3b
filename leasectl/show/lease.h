/* SPDX-License-Identifier: ISC */
/* Prints leases, as JSON or as one line a field. */
#ifndef TUNLEASE_LEASECTL_SHOW_LEASE_H
#define TUNLEASE_LEASECTL_SHOW_LEASE_H

#include "leasectl/ctl.h"

struct buf;
struct lease;

/* Adds one JSON object, without a newline. 0, or -1 (out of memory). */
int lease_to_json(struct ctl *ctl, const struct lease *l, struct buf *out);

/* Prints the JSON object with --json; else a line for each field, its name and value aligned on a
 * terminal and tab-separated when piped. */
int lease_print(struct ctl *ctl, const struct lease *l);

/* Several leases as one JSON array. *count is 0 before the first; l NULL prints null, for an
 * argument that gave no lease. Call lease_print_items_end after the last one. */
int lease_print_item(struct ctl *ctl, const struct lease *l, size_t *count);
void lease_print_items_end(const size_t *count);

#endif
