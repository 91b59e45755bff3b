/* SPDX-License-Identifier: ISC */
/*
 * Decides registers, heartbeats and joins (docs/protocol.md) within the batch's transaction. What
 * http sent is checked again: every field comes from a stranger. The modules that decide (register,
 * heartbeat, join) read what they need through a request_context. They change nothing but the
 * store: what else is to change they put into request_effects, and it is applied here.
 */
#ifndef TUNLEASE_LEASED_REQUESTS_REQUESTS_H
#define TUNLEASE_LEASED_REQUESTS_REQUESTS_H

#include "leased/requests/agent_port.h"
#include "leased/requests/join_guesses.h"
#include "leased/requests/pending_agents.h"
#include "leased/requests/register_burst.h"
#include "lib/store/store.h"
#include "lib/wire/control.h"

#include <stdbool.h>
#include <stdint.h>

struct api_keys;
struct beats;
struct clock_jumps;
struct conf;
struct control_port;
struct copies_seen;
struct limiter;
struct listeners_cache;
struct local_peers;
struct metrics;
struct open_store;
struct queued;
struct roster;
struct sessions;

struct requests {
    /* All lent. */
    const struct conf *conf;
    const struct api_keys *keys;
    const struct open_store *open_store;
    struct sessions *sessions;
    const struct control_site *site;
    const struct control_port *control_port;
    struct limiter *limiter;
    struct roster *roster;
    struct listeners_cache *listeners;
    struct clock_jumps *clock_jumps;
    struct beats *beats;
    struct copies_seen *copies_seen;
    struct local_peers *peers;
    struct metrics *metrics;

    int64_t loaded_ms; /* requests_load, by the monotonic clock */
    struct port_memory ports;
    struct pending_agents pending;
    struct register_burst burst;
    struct join_guesses guesses;
};

/* Reads from the store what is remembered of it. Call it at the start, and when another store was
 * opened. */
enum store_rc requests_load(struct requests *rq);

/*
 * For one transaction. Call requests_begin before the first request, and requests_decide for each:
 * it fills *ret (code and error included), q's lease_id, and q's join. If it does not return
 * STORE_OK, roll back. After a rollback, call requests_rolled_back.
 */
void requests_begin(struct requests *rq);
enum store_rc requests_decide(struct requests *rq, struct queued *q, int64_t now_ms,
                              struct control_answer *ret);
void requests_rolled_back(struct requests *rq);

/* Call when ports may have gone into quarantine: what is remembered of ports is dropped. */
void requests_ports_quarantined(struct requests *rq);

/* Whether leased has to make a key pair for a register without a public key. */
bool requests_wants_key(struct requests *rq, const struct control_request *r);

#endif
