/* SPDX-License-Identifier: ISC */
/*
 * Agents: leases of kind `agent`. The lease's name is the agent_id; its one listen permit is the
 * agent's port_b. Calls that change something run between store_begin and store_commit.
 */
#ifndef TUNLEASE_STORE_AGENTS_H
#define TUNLEASE_STORE_AGENTS_H

#include "lib/base/secret.h"
#include "lib/lease/name.h"
#include "lib/store/actor.h"
#include "lib/store/conflict.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

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
};
/* STORE_NONE: the agent is revoked. */
enum store_rc store_agent_update(struct store *st, int64_t id, const struct agent_update *u);

/* Allows the agent's next register with an enrolment key or token, within REISSUE_RESET_S, to get a
 * new secret; the old secret is valid until then. Writes an audit row. STORE_NONE: the agent is
 * revoked. */
enum store_rc store_agent_reset(struct store *st, const struct agent *a, int64_t boot_s,
                                const struct store_actor *by);

/* Runs very often: one statement, no audit row. STORE_NONE: the agent is revoked. */
enum store_rc store_agent_beat(struct store *st, int64_t id, int64_t heartbeat_ms,
                               int64_t expires_s);

/* Records that the agent has proved its secret: from now on only this secret identifies it. */
enum store_rc store_agent_secret_used(struct store *st, int64_t id);

/* Counts the agents that registered and never opened a session. */
enum store_rc store_agents_pending(struct store *st, int64_t *ret_count);

typedef int (*store_agent_fn)(void *ctx, const struct agent *a);
enum store_rc store_agent_list(struct store *st, bool all, store_agent_fn fn, void *ctx);

#endif
