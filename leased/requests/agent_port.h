/* SPDX-License-Identifier: ISC */
/* Which port an agent gets, and which one it has to give up. */
#ifndef TUNLEASE_LEASED_REQUESTS_AGENT_PORT_H
#define TUNLEASE_LEASED_REQUESTS_AGENT_PORT_H

#include "lib/store/store.h"
#include "lib/wire/control.h"

#include <stdbool.h>
#include <stdint.h>

struct conf;
struct lease;
struct request_context;

/* What was found out of the store's ports, so that not every agent has all of them looked through.
 * It only saves time. Zero-initialised: nothing. */
struct port_memory {
    uint16_t next_port;
    bool none_quarantined; /* in quarantine, as of this version of the store */
    int64_t none_quarantined_version;
};

/* Ports may be kept from now on that were not: its next question is put to the store. */
void agent_port_quarantine_changed(struct port_memory *memory);

/* What an agent is told for which there is no port. */
extern const char agent_port_none_text[];

/* How long a port that was another's stays in quarantine. It is given again only when the clock can
 * be believed. */
int64_t agent_port_quarantine_s(const struct request_context *ctx);

/*
 * The port asked for, or, for wanted 0, the one that is kept for whom its lease was deleted. 0:
 * there is none, or something listens on it, or it is beyond AllowListen.
 */
enum store_rc agent_port_wanted(const struct request_context *ctx, const char *name,
                                uint16_t wanted, uint16_t *ret);

/* A port that is nobody's. STORE_NONE: all are taken. */
enum store_rc agent_port_pick(const struct request_context *ctx, uint16_t *ret);

/* The lease's one listen permit. 0, or -1. */
int agent_port_set_listen(const struct conf *conf, struct lease *l, uint16_t port);

/* An expired lease comes back: its port is its own again, or, where that is another's by now,
 * another one. STORE_NONE: there is none. */
enum store_rc agent_port_reacquire(const struct request_context *ctx, int64_t lease_id,
                                   uint16_t *port, uint16_t *home);

/*
 * A foreign listener on the agent's port: another one meanwhile, and the old one is tried again at
 * the next register. *port is what it has; *home what it should have in place of it, or 0. Nothing
 * moves under a live tunnel: it would hold a permit that its lease no longer has, and be ended.
 */
enum store_rc agent_port_choose(const struct request_context *ctx, int64_t lease_id, uint16_t *port,
                                uint16_t *home);

/*
 * Whether the agent means to listen where this gateway lets it. sshd would refuse any other
 * address, in words that say less.
 */
bool agent_port_bind_host_fits(const struct conf *conf, const char *host);
enum store_rc agent_port_refuse_bind_host(const struct conf *conf, const char *host,
                                          struct control_answer *a);

#endif
