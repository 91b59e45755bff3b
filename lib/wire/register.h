/* SPDX-License-Identifier: ISC */
/*
 * The control plane as an agent speaks it (CONTRACT 6): requests are printed, answers are read and
 * every field of them is checked, for some end up on a command line.
 */
#ifndef TUNLEASE_WIRE_REGISTER_H
#define TUNLEASE_WIRE_REGISTER_H

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
    REGISTER_CONTROL_PORT = 12000, /* where agents ask that were told no other */
};

/* What is NULL, or 0, is left out. */
struct register_request {
    const char *agent_id, *public_key, *hostname, *user, *target, *reverse_bind_host;
    uint16_t port_b; /* held before */
};

struct register_answer {
    char agent_id[LEASE_NAME_MAX + 1];
    uint16_t port_b, port_changed_from;
    char ssh_user[LOGIN_NAME_MAX_CHARS + 1];
    char ssh_host[PERMIT_HOST_BYTES];
    uint16_t ssh_port;
    uint16_t control_port; /* of the gateway's loopback, for heartbeats; 0: not said */
    char jump_user[LOGIN_NAME_MAX_CHARS + 1]; /* "": none */
    char jump_host[PERMIT_HOST_BYTES];        /* "": none */
    char reverse_bind_host[PERMIT_HOST_BYTES];
    char lease_expires_at[32]; /* as it came: RFC 3339 */
    int64_t lease_ttl_seconds, heartbeat_interval_seconds, reconnect_after_ms;
    char *host_keys[REGISTER_HOST_KEYS_MAX]; /* owned: TYPE BASE64 */
    size_t host_key_count;
    char agent_secret[REGISTER_TEXT_BYTES]; /* "": none was given this time */
    char connect_hint[REGISTER_TEXT_BYTES];
};

struct heartbeat_answer {
    uint16_t port_b; /* 0: not said */
    char lease_expires_at[32];
    int up; /* 1 up, 0 down, -1 not said */
};

/* Adds the JSON body. 0, or -1 when memory ran out. */
int register_request_format(const struct register_request *r, struct buf *out);
int heartbeat_request_format(const char *agent_id, struct buf *out);

/* NULL and *ret (to be released), or why the text is no such answer, as a clause. A session.json is
 * one, too: only the secret is left out there. */
const char *register_answer_parse(const char *text, size_t len, struct register_answer *ret);
void register_answer_release(struct register_answer *a);
const char *heartbeat_answer_parse(const char *text, size_t len, struct heartbeat_answer *ret);

/* An error answer. Its words are for people, and not fit for a terminal as they are; decisions go
 * by the code. */
struct register_error {
    enum control_code code; /* CONTROL_CODE__MAX: none of ours, a proxy's answer perhaps */
    char text[256];         /* "" when there is none; the start of a long one */
};
void register_error_parse(const char *text, size_t len, struct register_error *ret);

/* session.json: all that register answered, the secret apart. 0 or -1. */
int register_answer_format(const struct register_answer *a, struct buf *out);

/* Only port_b of a session.json of any origin; 0: none. */
uint16_t register_old_port(const char *text, size_t len);

#endif
