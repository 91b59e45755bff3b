/* SPDX-License-Identifier: ISC */
/*
 * The agent's side of register and heartbeat (docs/protocol.md): formats requests, and parses
 * answers. Every field of an answer is checked, because some of them end up in ssh's arguments.
 */
#ifndef TUNLEASE_WIRE_REGISTER_H
#define TUNLEASE_WIRE_REGISTER_H

#include "lib/lease/agent_counter.h"
#include "lib/lease/name.h"
#include "lib/lease/permit.h"
#include "lib/wire/control.h"

#include <stddef.h>
#include <stdint.h>

struct buf;

enum {
    REGISTER_BODY_MAX = 65536, /* bytes of a request or an answer */
    REGISTER_HOST_KEYS_MAX = 16,
    REGISTER_TEXT_BYTES = 512,
    REGISTER_CONTROL_PORT = 12000, /* if the gateway names no other */
};

/* Fields that are NULL or 0 are left out. */
struct register_request {
    const char *agent_id, *public_key, *hostname, *user, *target, *reverse_bind_host;
    const char *host_keys;               /* of the target's sshd: TYPE BASE64, one a line */
    uint16_t port_b;                     /* the port it had before */
    const struct agent_counter *counter; /* its number 0: none is sent, either */
};

struct register_answer {
    char agent_id[LEASE_NAME_BYTES];
    uint16_t port_b, port_changed_from;
    char ssh_user[LOGIN_NAME_BYTES];
    char ssh_host[PERMIT_HOST_BYTES];
    uint16_t ssh_port;
    uint16_t control_port;             /* on the gateway's loopback, for heartbeats; 0: not said */
    char jump_user[LOGIN_NAME_BYTES];  /* "": none */
    char jump_host[PERMIT_HOST_BYTES]; /* "": none */
    char reverse_bind_host[PERMIT_HOST_BYTES];
    char lease_expires_at[32]; /* as it came: RFC 3339 */
    int64_t lease_ttl_seconds, heartbeat_interval_seconds, reconnect_after_ms;
    char *host_keys[REGISTER_HOST_KEYS_MAX]; /* owned: TYPE BASE64 */
    size_t host_key_count;
    char agent_secret[REGISTER_TEXT_BYTES]; /* "": the answer has none */
    char connect_hint[REGISTER_TEXT_BYTES];
    int64_t counter; /* to be sent next; 0: the gateway knows none. Not in session.json */
};

struct heartbeat_answer {
    uint16_t port_b; /* 0: not said */
    char lease_expires_at[32];
    int up;          /* 1 up, 0 down, -1 not said */
    int64_t counter; /* as above */
};

/* Adds the JSON body. 0, or -1 when memory ran out. */
int register_request_format(const struct register_request *r, struct buf *out);
int heartbeat_request_format(const char *agent_id, const struct agent_counter *counter,
                             struct buf *out);

/* Parse an answer. NULL, and *ret is the caller's to release; or the problem, as the predicate of a
 * sentence: "has no valid port_b". A session.json is parsed like an answer: it only lacks the
 * secret. */
const char *register_answer_parse(const char *text, size_t len, struct register_answer *ret);
void register_answer_release(struct register_answer *a);
const char *heartbeat_answer_parse(const char *text, size_t len, struct heartbeat_answer *ret);

/* An error answer. Decide by its code. The text is for people, and may contain what is not fit for
 * a terminal. */
struct register_error {
    enum control_code code; /* CONTROL_CODE__MAX: not ours; perhaps a proxy's answer */
    char text[256];         /* "": none; a longer one is cut off */
};
void register_error_parse(const char *text, size_t len, struct register_error *ret);

/* Formats session.json: the whole answer to a register except the secret. 0 or -1. */
int register_answer_format(const struct register_answer *a, struct buf *out);

/* port_b of a session.json that may lack everything else; 0: none. */
uint16_t register_old_port(const char *text, size_t len);

#endif
