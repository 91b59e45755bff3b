/* SPDX-License-Identifier: ISC */
/*
 * Counts wrong credentials by where they come from; an IPv6 /64 counts as one address. Agents that
 * come through ssh all come from loopback: they are told apart by the name that they give and the
 * credential that they tried. Since a guesser changes these each time, all of loopback is counted
 * together as well. A request with a valid credential is never checked here.
 */
#ifndef TUNLEASE_LEASED_REQUESTS_LIMITER_H
#define TUNLEASE_LEASED_REQUESTS_LIMITER_H

#include "lib/base/secret.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    LIMITER_SLOTS = 4096,
    LIMITER_FAILURES = 10,
    LIMITER_LOOPBACK_FAILURES = 100, /* everything from loopback together */
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
/* Whether a client came through ssh or from this host; "" is a unix socket. */
bool address_is_loopback(const char *address);

/* Counts a failure. True: there were too many. */
bool limiter_failed(struct limiter *l, const char *address, const char *agent_id,
                    const uint8_t hash[static SECRET_HASH_BYTES], int64_t now_ms);

#endif
