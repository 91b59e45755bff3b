/* SPDX-License-Identifier: ISC */
/*
 * Register and heartbeat (docs/protocol.md), decided within the batch's transaction. What http sent
 * is checked again there: every field is a stranger's. The modules that decide are lent what they
 * read; what they ask of the engine is done here.
 */
#ifndef TUNLEASE_LEASED_REQUESTS_REQUESTS_H
#define TUNLEASE_LEASED_REQUESTS_REQUESTS_H

#include "leased/requests/agent_port.h"
#include "leased/requests/pending_agents.h"
#include "leased/requests/register.h"
#include "lib/store/store.h"
#include "lib/wire/control.h"

#include <stdbool.h>
#include <stdint.h>

struct api_keys;
struct beats;
struct clock_jumps;
struct conf;
struct control_port;
struct limiter;
struct listeners_cache;
struct metrics;
struct open_store;
struct queued;
struct roster;
struct sessions;

struct requests {
    /* Lent. */
    const struct conf *conf;
    const struct api_keys *keys;
    const struct open_store *open_store;
    const struct sessions *sessions;
    const struct control_port *control_port;
    struct limiter *limiter;
    struct roster *roster;
    struct listeners_cache *listeners;
    struct clock_jumps *clock_jumps;
    struct beats *beats;
    struct metrics *metrics;

    struct port_memory ports;
    struct pending_agents pending;
    struct register_burst burst;
};

/* At the start, and when another store is open than before: what is known is read from it. */
enum store_rc requests_load(struct requests *rq);

/*
 * Of a transaction: before the first is decided; each, which fills *ret, code and error included,
 * and q's lease_id; and where it was undone. Anything but STORE_OK: it is to be undone.
 */
void requests_begin(struct requests *rq);
enum store_rc requests_decide(struct requests *rq, struct queued *q, int64_t now_ms,
                              struct control_answer *ret);
void requests_rolled_back(struct requests *rq);

/* Ports may be kept for former holders from now on. */
void requests_ports_quarantined(struct requests *rq);

/* Whether a key pair is to be made for a register without a public key: only for who may have one.
 */
bool requests_wants_key(struct requests *rq, const struct control_request *r);

#endif
