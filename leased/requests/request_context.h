/* SPDX-License-Identifier: ISC */
/*
 * What register and heartbeat are decided by, and what a decision asks of the engine. The modules
 * that decide (register, heartbeat, credential, facts, agent_port) know nothing else of it.
 */
#ifndef TUNLEASE_LEASED_REQUESTS_REQUEST_CONTEXT_H
#define TUNLEASE_LEASED_REQUESTS_REQUEST_CONTEXT_H

#include "leased/requests/roster.h"
#include "lib/store/actor.h"

#include <stdbool.h>
#include <stdint.h>

struct api_keys;
struct clock_jumps;
struct conf;
struct register_burst;
struct limiter;
struct listeners_cache;
struct pending_agents;
struct port_memory;
struct registry;
struct sessions;

/* All of it is lent for one request, within a transaction of the store. */
struct request_context {
    const struct conf *conf;
    const struct api_keys *keys;
    struct limiter *limiter;
    struct store *store;
    struct roster *roster;
    const struct sessions *sessions;
    const struct registry *registry; /* NULL: it cannot be read */
    struct listeners_cache *listeners;
    struct clock_jumps *clock_jumps;
    struct port_memory *ports;
    struct pending_agents *pending;
    struct register_burst *burst;
    struct store_actor by; /* who changes the store */
    int64_t now_s;         /* Unix time; */
    int64_t boot_s;        /* by the boot clock; */
    int64_t now_ms;        /* Unix time when the batch began */
};

/*
 * What is to be done after the decision and within the same transaction. Nothing, where the store
 * failed. Zero-initialised is nothing.
 */
struct request_effects {
    int64_t lease_id;  /* of the agent that the request has proven to come from; 0: nobody's */
    bool is_new_agent; /* it counts as pending from now on */
    bool came_back;    /* its lease had expired: its permit for the control port may be old */
    bool is_beat;      /* agent.expires_s is to be written, to its lease or to what waits */
    enum { ROSTER_STAYS, ROSTER_PUT, ROSTER_FORGET } roster; /* of agent, by its name */
    struct member agent;
};

#endif
