/* SPDX-License-Identifier: ISC */
/*
 * What the page shows: /status.json (docs/protocol.md 8.4). It is put together of what leased has
 * in memory, and of at most a hundred rows of each kind read from the store. The part that comes
 * from the store is kept for a second, and longer while the store cannot be read: then it is shown
 * as it was, and `problems` says so.
 */
#ifndef TUNLEASE_LEASED_STATUS_OVERVIEW_H
#define TUNLEASE_LEASED_STATUS_OVERVIEW_H

#include "leased/status/view.h"

#include <stdbool.h>

struct buf;
struct event_base;

/* The lent members must be set. Returns 0, or -1: out of memory. */
int overview_start(struct overview *o, struct event_base *base);

/* Call every few seconds, for the history. */
void overview_sample(struct overview *o);

/* Another store is open. */
void overview_forget(struct overview *o);

/* Adds the whole answer. False: there is nothing to show, and out says why, in a line for people.
 */
bool overview_write(struct overview *o, const struct overview_query *query, struct buf *out);

#endif
