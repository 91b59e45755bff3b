/* SPDX-License-Identifier: ISC */
/* Chooses the port of an agent, and moves an agent to another port when it has to. */
#ifndef TUNLEASE_LEASED_REQUESTS_AGENT_PORT_H
#define TUNLEASE_LEASED_REQUESTS_AGENT_PORT_H

#include "lib/store/store.h"
#include "lib/wire/control.h"

#include <stdbool.h>
#include <stdint.h>

struct conf;
struct lease;
struct request_context;

/* What is remembered of the store's ports, so that not every register reads all of them. It only
 * saves time. Zero-initialised: nothing is known. */
struct port_memory {
    uint16_t next_port;
    bool none_quarantined; /* no port is in quarantine, as of this version of the store */
    int64_t none_quarantined_version;
};

/* A port may have gone into quarantine: the store is asked again. */
void agent_port_quarantine_changed(struct port_memory *memory);

/* The refusal for an agent when no port is free. */
extern const char agent_port_none_text[];

/* How long a port stays in quarantine before another agent may have it. Practically for ever after
 * the clock has jumped. */
int64_t agent_port_quarantine_s(const struct request_context *ctx);

/*
 * The port wanted; for 0, the port in quarantine that belonged to an agent of that name whose lease
 * was deleted. *ret is 0 when there is none, something listens on it, or AllowListen does not cover
 * it.
 */
enum store_rc agent_port_wanted(const struct request_context *ctx, const char *name,
                                uint16_t wanted, uint16_t *ret);

/* A free port. STORE_NONE: there is none. */
enum store_rc agent_port_pick(const struct request_context *ctx, uint16_t *ret);

/* Sets the lease's one listen permit. Returns 0, or -1. */
int agent_port_set_listen(const struct conf *conf, struct lease *l, uint16_t port);

/* An expired lease is renewed: acquires its former port again or, if another lease has that by now,
 * a different one. STORE_NONE: none is free. */
enum store_rc agent_port_reacquire(const struct request_context *ctx, int64_t lease_id,
                                   uint16_t *port, uint16_t *home);

/*
 * If a foreign program listens on the agent's port, moves the agent to another port; at a later
 * register, moves it back as soon as its own port is free. *port is the port that it has, *home the
 * one that it should have instead, or 0. While the agent has a live session nothing is moved: the
 * session would hold a permit that its lease no longer has, and be ended.
 */
enum store_rc agent_port_choose(const struct request_context *ctx, int64_t lease_id, uint16_t *port,
                                uint16_t *home);

/*
 * Whether the agent wants to listen on the address that this gateway lets it. sshd would refuse any
 * other one, with a message that says less.
 */
bool agent_port_bind_host_fits(const struct conf *conf, const char *host);
enum store_rc agent_port_refuse_bind_host(const struct conf *conf, const char *host,
                                          struct control_answer *a);

#endif
