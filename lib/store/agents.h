/* SPDX-License-Identifier: ISC */
/*
 * Agents: leases of kind `agent`. The lease's name is the agent_id; its one listen permit is the
 * agent's port_b. Calls that change something run between store_begin and store_commit.
 */
#ifndef TUNLEASE_STORE_AGENTS_H
#define TUNLEASE_STORE_AGENTS_H

#include "lib/base/secret.h"
#include "lib/lease/agent_counter.h"
#include "lib/lease/name.h"
#include "lib/store/actor.h"
#include "lib/store/conflict.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct agent_copies;
struct beat;
struct lease;

enum { AGENT_FACTS_BYTES = 8192 };

struct agent {
    int64_t id;
    char name[LEASE_NAME_BYTES];
    char login[LOGIN_NAME_BYTES];
    bool is_agent; /* false: an admin granted the lease that has this name */
    bool revoked;
    uint16_t port; /* of its listen permit; 0: none */
    int64_t created_s, expires_s, last_login_s, heartbeat_ms;
    bool fixed_end;
    bool has_secret;
    uint8_t secret_hash[SECRET_HASH_BYTES];
    bool secret_used;
    int64_t token_id; /* the token that admitted it; 0: an API key or an admin did */
    bool is_frozen;   /* a copy of it was seen: its key is refused until an admin resets it */
};

/* Finds the agent that is not revoked, else the newest revoked one. STORE_NONE: no lease has
 * that name. */
enum store_rc store_agent_find(struct store *st, const char *name, struct agent *ret);
enum store_rc store_agent_facts(struct store *st, int64_t id, char out[static AGENT_FACTS_BYTES]);
enum store_rc store_agent_has_key(struct store *st, int64_t id, const char *fingerprint);

/* STORE_OK: the newest agent with this key is revoked, and the key is refused until an admin
 * deletes that agent. STORE_NONE: it is not. */
enum store_rc store_agent_key_is_revoked(struct store *st, const char *login,
                                         const char *fingerprint);

/* As store_lease_add. facts: lines of `key value`. */
enum store_rc store_agent_add(struct store *st, const struct lease *l, int64_t token_id,
                              const char *facts, int64_t quarantine_s, const struct store_actor *by,
                              int64_t *ret_id, struct store_conflict *ret_conflict);

/* What a register request changes of an agent. */
struct agent_update {
    const uint8_t *secret_hash; /* SECRET_HASH_BYTES bytes; NULL: unchanged */
    bool secret_used;
    int64_t token_id;
    const char *facts;
    int64_t heartbeat_ms, expires_s; /* 0: unchanged */
    struct agent_counter counter;    /* its number 0: unchanged */
};
/* STORE_NONE: the agent is revoked. */
enum store_rc store_agent_update(struct store *st, int64_t id, const struct agent_update *u);

/*
 * Allows the agent's next register with an enrolment key or token, within REISSUE_RESET_S, to get a
 * new secret; the old secret is valid until then. A register with the old secret, within
 * COPIES_RESET_S and from one of the addresses of from ("": any), may have any counter. Ends the
 * freeze of a copied agent. Writes an audit row. *ret_copies: what was known of copies before.
 * STORE_NONE: the agent is revoked.
 */
enum store_rc store_agent_reset(struct store *st, const struct agent *a, int64_t boot_s,
                                const char *from, const struct store_actor *by,
                                struct agent_copies *ret_copies);

/* Runs very often: one statement, no audit row. STORE_NONE: the agent is revoked. */
enum store_rc store_agent_beat(struct store *st, const struct beat *b);

/* The last accepted counter in the agent's lease; a pending heartbeat may have a later one. Only
 * for a store that is open for writing: older ones have none. */
enum store_rc store_agent_counter(struct store *st, int64_t id, struct agent_counter *ret);

/* From now on the agent counts as one that never sent a counter. Call beats_forget_counter, too,
 * where heartbeats may be pending in this process. */
enum store_rc store_agent_forget_counter(struct store *st, int64_t id);

/* Freezes the agent since a copy of it was seen, or ends that. STORE_NONE: the agent is revoked. */
enum store_rc store_agent_freeze(struct store *st, int64_t id, bool is_frozen);

/* Replaces the lines of the agent's facts that are about copies. STORE_NONE: it is revoked. */
enum store_rc store_agent_set_copies(struct store *st, int64_t id, const struct agent_copies *c);

/* Records that the agent has proved its secret: from now on only this secret identifies it. */
enum store_rc store_agent_secret_used(struct store *st, int64_t id);

/* Counts the agents that registered and never opened a session. */
enum store_rc store_agents_pending(struct store *st, int64_t *ret_count);

/* Agents that are frozen, or whose facts name a copy that was seen. If fn returns non-zero, the
 * list ends with STORE_FAIL. */
typedef int (*store_copied_fn)(void *ctx, const char *name, const struct agent_copies *copies,
                               bool is_frozen);
enum store_rc store_agents_copied(struct store *st, store_copied_fn fn, void *ctx);

typedef int (*store_agent_fn)(void *ctx, const struct agent *a);
enum store_rc store_agent_list(struct store *st, bool all, store_agent_fn fn, void *ctx);

#endif
