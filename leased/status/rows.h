/* SPDX-License-Identifier: ISC */
/* The lists of /status.json, a page of each: rows that match a filter, from an offset on. */
#ifndef TUNLEASE_LEASED_STATUS_ROWS_H
#define TUNLEASE_LEASED_STATUS_ROWS_H

#include "lib/store/store.h"

#include <stdint.h>

struct buf;
struct indexed_lease;
struct overview;
struct overview_query;

/*
 * Each adds its member, an object with `matching`, `offset` and `rows`: at most OVERVIEW_ROWS, and
 * fewer where they are so large that they would not fit into an answer.
 */
void rows_sessions(struct overview *o, const struct overview_query *query, struct buf *out);

/* These read the store. Why a row could not be read is added to problem, a line for people, and the
 * row is left out. */
void rows_leases(struct overview *o, const struct overview_query *query, struct buf *out,
                 struct buf *problem);
void rows_agents(struct overview *o, const struct overview_query *query, struct buf *out,
                 struct buf *problem);
void rows_audit(struct overview *o, const struct overview_query *query, struct buf *out,
                struct buf *problem);

/* enum control_tunnel */
int rows_agent_tunnel(struct overview *o, const struct indexed_lease *agent);

#endif
