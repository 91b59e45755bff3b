/* SPDX-License-Identifier: ISC */
/*
 * What the modules that decide (register, heartbeat, credential, facts, agent_port) read of the
 * engine, and what a decision asks the engine to do. They know nothing else of it.
 */
#ifndef TUNLEASE_LEASED_REQUESTS_REQUEST_CONTEXT_H
#define TUNLEASE_LEASED_REQUESTS_REQUEST_CONTEXT_H

#include "leased/requests/roster.h"
#include "lib/store/actor.h"

#include <stdbool.h>
#include <stdint.h>

struct api_keys;
struct beats;
struct clock_jumps;
struct conf;
struct copies_seen;
struct control_site;
struct join_guesses;
struct register_burst;
struct limiter;
struct listeners_cache;
struct local_peers;
struct pending_agents;
struct port_memory;
struct registry;
struct sessions;

/* Everything is lent for one request, within a transaction of the store. */
struct request_context {
    const struct conf *conf;
    const struct api_keys *keys;
    struct limiter *limiter;
    struct store *store;
    struct roster *roster;
    struct beats *beats;
    struct copies_seen *copies_seen;
    struct local_peers *peers;
    const struct sessions *sessions;
    const struct registry *registry; /* NULL: it cannot be read */
    struct listeners_cache *listeners;
    struct clock_jumps *clock_jumps;
    struct port_memory *ports;
    struct pending_agents *pending;
    struct register_burst *burst;
    struct join_guesses *guesses;
    const struct control_site *site; /* what agents are told of this gateway */
    struct store_actor by;           /* the actor for the audit */
    int64_t now_s;                   /* Unix time */
    int64_t boot_s;                  /* boot clock */
    int64_t now_ms;                  /* Unix time when the batch began */
    int64_t listens_ms;              /* so long there was a leased to hear, with this store */
};

/*
 * What the engine does after the decision, in the same transaction. Nothing is done if the store
 * failed. Zero-initialised: nothing to do.
 */
struct request_effects {
    int64_t lease_id;  /* of the agent that the request was proven to come from; 0: none */
    bool is_new_agent; /* it counts as pending from now on */
    bool came_back; /* its lease had expired, so its permit for the control port may be outdated */
    bool sweeps;    /* sessions may have to end */
    bool is_beat;   /* write agent.expires_s, to its lease or as a pending heartbeat */
    enum {
        ROSTER_STAYS,
        ROSTER_PUT,
        ROSTER_FORGET
    } roster; /* what to do with agent in the roster */
    struct member agent;
};

#endif
