/* SPDX-License-Identifier: ISC */
/* A lease as leasectl shows it: JSON, a table row, or line by line. */
#ifndef TUNLEASE_LEASECTL_SHOW_LEASE_H
#define TUNLEASE_LEASECTL_SHOW_LEASE_H

#include "leasectl/ctl.h"

struct buf;
struct lease;

/* One JSON object without a newline. 0 or -1 (memory). */
int lease_to_json(struct ctl *ctl, const struct lease *l, struct buf *out);

/* --json: the object; else `field: value` lines, aligned on a terminal, tab-separated when piped.
 */
int lease_print(struct ctl *ctl, const struct lease *l);

/*
 * The leases of several arguments as one JSON array, in which *count (0 at first) were printed;
 * NULL stands for one that there is not. After the last one, the end.
 */
int lease_print_item(struct ctl *ctl, const struct lease *l, size_t *count);
void lease_print_items_end(const size_t *count);

#endif
