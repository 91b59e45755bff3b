/* SPDX-License-Identifier: ISC */
/* How long a connection may stay in each state. */
#ifndef TUNLEASE_LEASED_HTTP_TIMEOUTS_H
#define TUNLEASE_LEASED_HTTP_TIMEOUTS_H

#include "leased/http/server.h"

/* Drops each connection that has timed out, or answers it 503. Called at each tick. */
void timeouts_check(struct server *s);

#endif
