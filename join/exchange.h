/* SPDX-License-Identifier: ISC */
/* One request to leased over a unix socket, and its answer, both small and within a time. */
#ifndef TUNLEASE_JOIN_EXCHANGE_H
#define TUNLEASE_JOIN_EXCHANGE_H

#include "lib/wire/join.h"

/* Whether a code can have been spent is what the friend has to know. */
enum exchange {
    EXCHANGE_ANSWERED,
    EXCHANGE_NOT_SENT, /* leased is not there, or out of memory: nothing was spent */
    EXCHANGE_REFUSED,  /* leased said that it cannot decide this now: nothing was spent */
    EXCHANGE_LOST,     /* no answer, or none that can be read: a code may be spent or not */
};

/*
 * Asks the leased at the socket path. Waits at most wait_ms. With EXCHANGE_ANSWERED *ret is the
 * caller's to release.
 */
enum exchange exchange_join(const char *path, const struct join_request *request, int wait_ms,
                            struct join_answer *ret);

#endif
