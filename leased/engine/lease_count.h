/* SPDX-License-Identifier: ISC */
/* Counts the leases, in pieces, like everything that reads all of them (lib/store/walk.h). */
#ifndef TUNLEASE_LEASED_ENGINE_LEASE_COUNT_H
#define TUNLEASE_LEASED_ENGINE_LEASE_COUNT_H

#include "lib/store/counts.h"
#include <stdbool.h>

struct event;
struct event_base;
struct open_store;

struct lease_count {
    const struct open_store *open_store;
    bool is_counting, is_known;
    struct lease_range at;
    struct store_counts counted, counting;
    struct event *on_piece;
};

int lease_count_start(struct lease_count *c, struct event_base *base,
                      const struct open_store *open_store);

/* Begins a count, unless one is under way. For a small store it is complete when this returns. */
void lease_count_begin(struct lease_count *c);

void lease_count_stop(struct lease_count *c);

#endif
