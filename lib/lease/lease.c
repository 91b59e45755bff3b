/* SPDX-License-Identifier: ISC */
#include "lib/lease/lease.h"

#include <stdlib.h>

enum lease_state lease_state_at(const struct lease *l, int64_t now_s)
{
    if (l->revoked_s != 0)
        return LEASE_REVOKED;
    return now_s < l->expires_s ? LEASE_ACTIVE : LEASE_EXPIRED;
}

const char *lease_state_name(enum lease_state state)
{
    static const char *const names[LEASE_STATE__MAX] = {
        [LEASE_ACTIVE] = "active", [LEASE_EXPIRED] = "expired", [LEASE_REVOKED] = "revoked"};
    return names[state];
}

int lease_add_key(struct lease *l, const struct lease_key *key)
{
    struct lease_key *keys = reallocarray(l->keys, l->key_count + 1, sizeof(*keys));
    if (keys == NULL)
        return -1;
    l->keys = keys;
    l->keys[l->key_count++] = *key;
    return 0;
}

void lease_release(struct lease *l)
{
    permit_list_release(&l->open);
    permit_list_release(&l->listen);
    free(l->keys);
    *l = (struct lease){0};
}
