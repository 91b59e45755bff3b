/* SPDX-License-Identifier: ISC */
/*
 * Agents that have registered and never yet logged in: how many there are, against
 * MaxPendingAgents. The count is kept here, because counting reads all leases.
 */
#ifndef TUNLEASE_LEASED_REQUESTS_PENDING_AGENTS_H
#define TUNLEASE_LEASED_REQUESTS_PENDING_AGENTS_H

#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct pending_agents {
    int64_t count;
    int64_t count_before; /* when the transaction began */
    int64_t counted_ms;   /* when they were last counted because there were too many */
};

/* Counts them in the store. */
enum store_rc pending_agents_recount(struct pending_agents *p, struct store *st);

/* Call when a transaction begins. */
void pending_agents_begin(struct pending_agents *p);
/* Counts one more agent, which registered in this transaction. */
void pending_agents_add(struct pending_agents *p);
/* Call when the transaction was rolled back: the count is as it was at its begin. */
void pending_agents_roll_back(struct pending_agents *p);

/* True in *ret: one more may register, as there are fewer than max. Where there are not, they are
 * counted again, at most once a second: some may have logged in since. */
enum store_rc pending_agents_has_room(struct pending_agents *p, struct store *st, int64_t max,
                                      bool *ret);

#endif
