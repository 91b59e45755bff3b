/* SPDX-License-Identifier: ISC */
/* The enrolment keys of the configuration, and how often wrong ones are tried. */
#ifndef TUNLEASE_LEASED_CREDENTIALS_H
#define TUNLEASE_LEASED_CREDENTIALS_H

#include "lib/base/secret.h"
#include "lib/conf/conf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { API_KEYS_MAX = 64, API_KEY_SHORT = 20 };

/* Only hashes: a core file or a stray read shows no key. */
struct api_keys {
    uint8_t hashes[API_KEYS_MAX][SECRET_HASH_BYTES];
    size_t count;
};

/*
 * From API_KEY, API_KEYS and ApiKeyFile. 0; or -1 with a line in err: a file that cannot be read or
 * that others can, too many keys, the key `change-me`. Short keys are warned of.
 */
int api_keys_load(const struct conf *conf, struct api_keys *ret, char err[static CONF_ERROR_BYTES],
                  struct buf *warnings);
bool api_keys_have(const struct api_keys *keys, const uint8_t hash[static SECRET_HASH_BYTES]);

/*
 * Failures, counted for where they come from; an IPv6 network of 64 bits is one place. Agents that
 * come through ssh all come from loopback: they are told apart by what they say they are and what
 * they tried, and, since who guesses says something else each time, counted together as well. A
 * good credential is never asked here.
 */
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
