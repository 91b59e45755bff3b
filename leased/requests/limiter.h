/* SPDX-License-Identifier: ISC */
/*
 * Failures, counted for where they come from; an IPv6 network of 64 bits is one place. Agents that
 * come through ssh all come from loopback: they are told apart by what they say they are and what
 * they tried, and, since who guesses says something else each time, counted together as well. A
 * good credential is never asked here.
 */
#ifndef TUNLEASE_LEASED_REQUESTS_LIMITER_H
#define TUNLEASE_LEASED_REQUESTS_LIMITER_H

#include "lib/base/secret.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    LIMITER_SLOTS = 4096,
    LIMITER_FAILURES = 10,
    LIMITER_LOOPBACK_FAILURES = 100, /* of all that comes from this host */
    LIMITER_WINDOW_MS = 60000
};

struct limiter_slot {
    uint64_t key;
    int64_t since_ms;
    unsigned failures;
};

struct limiter {
    struct limiter_slot slots[LIMITER_SLOTS], loopback;
    uint64_t seed;
};

void limiter_init(struct limiter *l);
/* Of a client: through ssh, or on this host; "" is a unix socket. */
bool address_is_loopback(const char *address);

/* Notes a failure. True: there were too many. */
bool limiter_failed(struct limiter *l, const char *address, const char *agent_id,
                    const uint8_t hash[static SECRET_HASH_BYTES], int64_t now_ms);

#endif
