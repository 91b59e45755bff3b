/* SPDX-License-Identifier: ISC */
#include "leased/requests/limiter.h"

#include "lib/base/hash.h"

#include <arpa/inet.h>
#include <bsd/stdlib.h>
#include <string.h>

void limiter_init(struct limiter *l)
{
    memset(l, 0, sizeof(*l));
    arc4random_buf(&l->seed, sizeof(l->seed));
}

bool address_is_loopback(const char *address)
{
    return address[0] == '\0' || strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0 ||
           strncmp(address, "::ffff:127.", 11) == 0;
}

static bool is_too_many(struct limiter_slot *slot, uint64_t key, unsigned most, int64_t now_ms)
{
    if (slot->key != key || now_ms - slot->since_ms > LIMITER_WINDOW_MS)
        *slot = (struct limiter_slot){.key = key, .since_ms = now_ms};
    return ++slot->failures > most;
}

static uint64_t hash_address(uint64_t seed, const char *address)
{
    struct in6_addr v6;
    return inet_pton(AF_INET6, address, &v6) == 1 ? hash_add(seed, &v6, sizeof(v6) / 2)
                                                  : hash_add(seed, address, strlen(address));
}

bool limiter_failed(struct limiter *l, const char *address, const char *agent_id,
                    const uint8_t hash[static SECRET_HASH_BYTES], int64_t now_ms)
{
    const bool is_loopback = address_is_loopback(address);
    bool many = false;
    uint64_t key = hash_address(l->seed, address);
    if (is_loopback) {
        key = hash_add(key, agent_id, strlen(agent_id) + 1);
        key = hash_add(key, hash, SECRET_HASH_BYTES);
        many = is_too_many(&l->loopback, 1, LIMITER_LOOPBACK_FAILURES, now_ms);
    }
    return is_too_many(&l->slots[key % LIMITER_SLOTS], key, LIMITER_FAILURES, now_ms) || many;
}
