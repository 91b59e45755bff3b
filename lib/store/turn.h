/* SPDX-License-Identifier: ISC */
/* The column `turn`, of an agent and of a pending heartbeat: the counter, 8 bytes with the highest
 * first, and the nonce. So of two turns the greater blob is the newer one. NULL: no counter. Inside
 * lib/store. */
#ifndef TUNLEASE_STORE_TURN_H
#define TUNLEASE_STORE_TURN_H

#include "lib/store/statement.h"

struct agent_counter;

/* Binds NULL for a number of 0. */
void bind_turn(sqlite3_stmt *s, const char *param, const struct agent_counter *counter);

/* A blob of another form counts as none: the agent's next counter is ahead of it. */
void column_turn(sqlite3_stmt *s, int column, struct agent_counter *ret);

#endif
