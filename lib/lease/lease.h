/* SPDX-License-Identifier: ISC */
/*
 * A lease: the permission of one named holder to have given forwards on one login, with the
 * holder's own public keys, until it expires (docs/design.md 12). The struct, and the rules that
 * need nothing else. Pure.
 */
#ifndef TUNLEASE_LEASE_LEASE_H
#define TUNLEASE_LEASE_LEASE_H

#include "lib/lease/name.h"
#include "lib/lease/permit.h"
#include "lib/lease/pubkey.h"
#include "lib/lease/source.h"

#include <stdbool.h>
#include <stdint.h>

struct buf;

enum {
    LEASE_KEYS_MAX = 16,
    LEASE_SESSIONS_LIMIT_MAX = 1000,
    LEASE_OPEN_AGENTS_MAX = 8,
};

struct lease_key {
    struct pubkey pub;
    int64_t added_s;
};

/* Times are Unix seconds, UTC; a 0 in revoked_s, renewed_s or last_login_s means never. */
struct lease {
    int64_t id;
    char name[LEASE_NAME_BYTES];
    char login[LOGIN_NAME_BYTES];
    struct permit_list open; /* with the current ports of open_agents */
    char open_agents[LEASE_OPEN_AGENTS_MAX][LEASE_NAME_BYTES];
    size_t open_agent_count;
    struct permit_list listen;
    struct source_list from;
    unsigned max_sessions; /* 0: no limit of its own */
    bool is_frozen;        /* an agent of which a copy was seen: its key is refused */
    char note[LEASE_NOTE_MAX + 1];
    int64_t created_s;
    int64_t renewed_s;
    int64_t expires_s;
    bool fixed_end; /* an admin set expires_s: only an admin may change it */
    int64_t revoked_s;
    bool keep_sessions; /* revoked, but sessions that were live may stay until expires_s */
    int64_t last_login_s;
    struct lease_key *keys; /* owned, oldest first */
    size_t key_count;
};

enum lease_state { LEASE_ACTIVE, LEASE_EXPIRED, LEASE_REVOKED, LEASE_STATE__MAX };

enum lease_state lease_state_at(const struct lease *l, int64_t now_s);
const char *lease_state_name(enum lease_state state);

/*
 * Parse and format the store's text of what a lease opens: permits, and agents as `agent:NAME`,
 * separated by one blank. lease_open_parse returns 0, or -1 with *l untouched: malformed, too many,
 * or out of memory.
 */
#define LEASE_AGENT_PREFIX "agent:"
int lease_open_parse(const char *text, struct lease *l);
void lease_open_format(const struct lease *l, struct buf *out);

/* NULL, or why not, as a clause: already there, too many, not a valid name. */
const char *lease_open_agent_add(struct lease *l, const char *name);

/* Adds a copy of key. 0, or -1: out of memory. */
int lease_add_key(struct lease *l, const struct lease_key *key);

/* Whether one of its keys has this fingerprint. */
bool lease_has_key(const struct lease *l, const char *fingerprint);

/* l may be zeroed or half built. Leaves *l zeroed. */
void lease_release(struct lease *l);

#endif
