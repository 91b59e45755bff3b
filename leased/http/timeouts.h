/* SPDX-License-Identifier: ISC */
/* How long a connection may stay what it is. */
#ifndef TUNLEASE_LEASED_HTTP_TIMEOUTS_H
#define TUNLEASE_LEASED_HTTP_TIMEOUTS_H

#include "leased/http/server.h"

/* Drops or answers each connection whose time is over. */
void timeouts_check(struct server *s);

#endif
