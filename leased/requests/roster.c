/* SPDX-License-Identifier: ISC */
#include "leased/requests/roster.h"

#include "lib/base/hash.h"
#include "lib/store/agents.h"
#include "lib/store/connection.h"

#include <bsd/stdlib.h>
#include <stdlib.h>
#include <string.h>

struct roster_entry {
    struct roster_entry *next;
    uint64_t epoch; /* valid if it equals the roster's */
    struct member member;
    char name[];
};

int roster_init(struct roster *r)
{
    *r = (struct roster){.slots = calloc(ROSTER_SLOTS, sizeof(struct roster_entry *))};
    arc4random_buf(&r->seed, sizeof(r->seed));
    return r->slots != NULL ? 0 : -1;
}

static void drop_all(struct roster *r)
{
    for (size_t i = 0; i < ROSTER_SLOTS; i++)
        while (r->slots[i] != NULL) {
            struct roster_entry *entry = r->slots[i];
            r->slots[i] = entry->next;
            explicit_bzero(entry->member.secret_hash, sizeof(entry->member.secret_hash));
            free(entry);
        }
    r->count = 0;
}

void roster_release(struct roster *r)
{
    if (r->slots != NULL)
        drop_all(r);
    free(r->slots);
    r->slots = NULL;
}

enum store_rc roster_refresh(struct roster *r, struct store *st)
{
    int64_t version = 0;
    enum store_rc rc = store_data_version(st, &version);
    if (rc != STORE_OK)
        return rc;
    if (version != r->version)
        roster_invalidate(r);
    r->version = version;
    return STORE_OK;
}

void roster_invalidate(struct roster *r)
{
    r->epoch++;
}

/* Where the pointer to the entry is, or would be. */
static struct roster_entry **place_of(struct roster *r, const char *name)
{
    const uint64_t hash = hash_add(r->seed, name, strlen(name));
    struct roster_entry **at = &r->slots[(hash ^ hash >> 32) % ROSTER_SLOTS]; /* all bits count */
    while (*at != NULL && strcmp((*at)->name, name) != 0)
        at = &(*at)->next;
    return at;
}

/* Out of memory: the agent is just not cached. */
void roster_put(struct roster *r, const char *name, const struct member *m)
{
    const size_t name_bytes = strlen(name) + 1;
    struct roster_entry **at = place_of(r, name);
    if (*at == NULL) {
        if (r->count == ROSTER_MAX) { /* most are agents that no longer exist */
            drop_all(r);
            at = place_of(r, name);
        }
        *at = calloc(1, sizeof(**at) + name_bytes);
        if (*at == NULL)
            return;
        memcpy((*at)->name, name, name_bytes);
        r->count++;
    }
    (*at)->epoch = r->epoch;
    (*at)->member = *m;
}

void roster_forget(struct roster *r, const char *name)
{
    struct roster_entry *entry = *place_of(r, name);
    if (entry != NULL)
        entry->epoch = r->epoch - 1;
}

enum store_rc roster_find(struct roster *r, struct store *st, const char *name, struct member *ret)
{
    const struct roster_entry *entry = *place_of(r, name);
    struct agent a;
    if (entry != NULL && entry->epoch == r->epoch) {
        *ret = entry->member;
        return STORE_OK;
    }
    enum store_rc rc = store_agent_find(st, name, &a);
    struct agent_counter counter = {.number = 0};
    if (rc == STORE_OK && a.is_agent && !a.revoked)
        rc = store_agent_counter(st, a.id, &counter);
    if (rc != STORE_OK)
        return rc;
    struct member m = {.id = a.id,
                       .is_agent = a.is_agent,
                       .revoked = a.revoked,
                       .port = a.port,
                       .expires_s = a.expires_s,
                       .lease_expires_s = a.expires_s,
                       .heartbeat_ms = a.heartbeat_ms,
                       .counter = counter,
                       .is_frozen = a.is_frozen,
                       .token_id = a.token_id,
                       .fixed_end = a.fixed_end,
                       .has_secret = a.has_secret,
                       .secret_used = a.secret_used};
    memcpy(m.secret_hash, a.secret_hash, sizeof(m.secret_hash));
    if (entry != NULL && entry->member.id == m.id) /* which is not in the store */
        memcpy(m.last_from, entry->member.last_from, sizeof(m.last_from));
    if (m.is_agent && !m.revoked) /* others could be any number */
        roster_put(r, name, &m);
    *ret = m;
    return STORE_OK;
}
