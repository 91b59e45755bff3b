/* SPDX-License-Identifier: ISC */
/*
 * Requests and answers between leased's two processes, and their JSON (docs/protocol.md).
 *
 * http turns what a stranger sends into one struct control_request. engine, which may write the
 * store and end sessions, checks the struct again, decides, and answers with one struct
 * control_answer. Each is one packet of a SOCK_SEQPACKET pair, sent up to its last byte in use
 * (control_request_bytes, control_answer_bytes). engine reads no byte of HTTP or JSON.
 *
 * A packet from http is as hostile as what http read: call control_request_problem before you use a
 * field of it.
 */
#ifndef TUNLEASE_WIRE_CONTROL_H
#define TUNLEASE_WIRE_CONTROL_H

#include "lib/base/buf.h"
#include "lib/base/secret.h"
#include "lib/lease/agent_counter.h"
#include "lib/lease/name.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    CONTROL_BODY_BYTES = 65536, /* of an HTTP request (docs/protocol.md 1.3) */
    CONTROL_TEXT_BYTES = 16384, /* all texts of a request together */
    CONTROL_ADDRESS_BYTES = 46,
    CONTROL_HOST_KEYS_MAX = 8,
    CONTROL_HOST_KEY_BYTES = 3200, /* TYPE BASE64 of the largest key that sshd accepts */
    CONTROL_REPORT_BYTES = 60000,  /* of the metrics, the longest report in one packet */
    CONTROL_WHOLE_BYTES = 1 << 20, /* of a report in several packets */
    CONTROL_FILTER_BYTES = 64,
    CONTROL_OFFSET_MAX = 10000000,
};

enum control_action {
    CONTROL_REGISTER = 1,
    CONTROL_HEARTBEAT,
    CONTROL_HEALTH,
    CONTROL_VERSION,
    CONTROL_METRICS,
    CONTROL_PAGE,   /* http serves a part of the page itself: only whether the client may have it */
    CONTROL_STATUS, /* what the page shows (docs/protocol.md 8.4) */
    CONTROL_JOIN,   /* redeems an invite; on the join socket alone (docs/protocol.md 10) */
    CONTROL_READY,  /* no request: http is confined, and answers clients from now on */
    CONTROL_REFUSED, /* no request: http itself refused some; see code, count and CONTROL_WHY */
    CONTROL_ACTION__MAX
};
const char *control_action_name(enum control_action action); /* register, heartbeat, ... */
bool control_action_is_agents(enum control_action action);   /* register or heartbeat */

/* The texts of a request; "" if absent. */
enum control_field {
    CONTROL_AGENT_ID,
    CONTROL_CREDENTIAL, /* from a header or from the body; of CONTROL_JOIN the code */
    CONTROL_PUBLIC_KEY,
    CONTROL_HOSTNAME,
    CONTROL_USER,
    CONTROL_TARGET,
    CONTROL_HOST_KEYS, /* one a line */
    CONTROL_BIND_HOST, /* the address that the agent wants to listen on */
    CONTROL_FILTER,    /* of CONTROL_STATUS */
    CONTROL_WHY,       /* of CONTROL_REFUSED: what the last client was told */
    CONTROL_FIELD__MAX
};

/* The lists of CONTROL_STATUS, each of which is shown from an offset on. */
enum control_list {
    CONTROL_LIST_LEASES,
    CONTROL_LIST_AGENTS,
    CONTROL_LIST_SESSIONS,
    CONTROL_LIST_AUDIT,
    CONTROL_LIST__MAX
};
const char *control_list_name(enum control_list list); /* leases, agents ... */

struct control_request {
    uint64_t id;     /* made by http; the answer has the same */
    uint32_t action; /* enum control_action */
    uint32_t code;   /* of CONTROL_REFUSED: enum control_code of these refusals */
    uint32_t count;  /* of CONTROL_REFUSED: how many since the last packet with this code */
    uint16_t port_b; /* the port that the agent asks for; 0: any */
    uint8_t
        on_metrics_listen; /* came in where no credential is asked for metrics (MetricsListen) */
    /* On MetricsListen, once engine said so: this connection is not that of a tunnel login. */
    uint8_t is_admitted;
    uint8_t wants_json; /* of CONTROL_JOIN: the lease as JSON */
    uint8_t lease_only; /* of CONTROL_JOIN: not for a private host */
    uint16_t peer_port; /* on MetricsListen, and of an agent's request: of the client; 0: a
                           unix socket */
    char address[CONTROL_ADDRESS_BYTES]; /* of the client; "" for a unix socket */
    uint32_t
        peer_uid; /* on the join socket, or a MetricsListen that is a unix socket: the client's */
    int32_t peer_pid;                    /* on the join socket: of the process that connected */
    uint32_t offsets[CONTROL_LIST__MAX]; /* of CONTROL_STATUS */
    struct agent_counter counter; /* of CONTROL_REGISTER and CONTROL_HEARTBEAT; number 0: none */
    uint16_t text_bytes;
    uint16_t at[CONTROL_FIELD__MAX]; /* where in text each begins; each ends with a NUL */
    char text[CONTROL_TEXT_BYTES];
};

void control_request_init(struct control_request *r, enum control_action action);
/* Sets a field, each at most once. 0, or -1: no room, or a NUL within the len bytes of value. */
int control_request_set(struct control_request *r, enum control_field field, const char *value,
                        size_t len);
const char *control_request_get(const struct control_request *r, enum control_field field);
size_t control_request_bytes(const struct control_request *r);

/* True if address is an IPv4 or IPv6 address in the spelling of inet_ntop(3). */
bool control_address_is_plain(const char *address);

/*
 * Checks the form of a packet of len bytes. NULL: every text ends within the packet, and every
 * number is in its range. What a text says, such as a name or a key, is not checked here. Else the
 * problem.
 */
const char *control_request_problem(const struct control_request *r, size_t len);

/* ---- answers ---- */

enum control_code {
    CONTROL_OK, /* 200 */
    CONTROL_BAD_REQUEST,
    CONTROL_UNAUTHORIZED,
    CONTROL_FORBIDDEN,
    CONTROL_EXPIRED, /* ended at an end that an admin fixed: only leasectl renews it */
    CONTROL_REVOKED, /* for good */
    CONTROL_NOT_FOUND,
    CONTROL_CONFLICT,
    CONTROL_COPIED, /* another host has the same state (docs/protocol.md 4.5) */
    CONTROL_GONE,
    CONTROL_TOO_LARGE,
    CONTROL_UNSUPPORTED,
    CONTROL_RATE_LIMITED,
    CONTROL_NO_PORTS,
    CONTROL_UNAVAILABLE,
    CONTROL_CODE__MAX
};
const char *control_code_name(enum control_code code);  /* "bad_request" ... (docs/protocol.md 7) */
int control_code_status(enum control_code code);        /* 400 ... */
enum control_code control_code_named(const char *name); /* CONTROL_CODE__MAX: no such name */

enum { CONTROL_ERROR_BYTES = 256 };

enum control_tunnel { CONTROL_TUNNEL_DOWN, CONTROL_TUNNEL_UP, CONTROL_TUNNEL_UNKNOWN };

struct control_answer {
    uint64_t id;
    uint32_t action;
    uint32_t code;                   /* enum control_code */
    char error[CONTROL_ERROR_BYTES]; /* one line for people, if code is not CONTROL_OK */
    char agent_id[LEASE_NAME_BYTES];
    char user[LOGIN_NAME_BYTES]; /* to log in as behind the agent, for connect_hint; "": unknown */
    char secret[SECRET_TEXT_BYTES];     /* register: agent_secret */
    uint16_t port_b, port_changed_from; /* port_changed_from 0: the port has not changed */
    uint8_t tunnel;                     /* enum control_tunnel */
    uint8_t
        has_keys; /* register: report holds the public key, a NUL, and the encrypted private one */
    uint8_t is_admitted; /* as in struct control_request */
    uint8_t join_exit;   /* join, with CONTROL_OK: enum join_exit; report is the text */
    uint32_t reconnect_after_ms;
    int64_t lease_expires_s, lease_ttl_s;
    int64_t counter; /* register and heartbeat: to be sent next; 0: not said */
    uint32_t report_bytes;
    uint32_t whole_bytes; /* 0; or of the reports of several packets with this id together */
    char report[CONTROL_REPORT_BYTES]; /* of health and metrics: the body */
};
size_t control_answer_bytes(const struct control_answer *a);
const char *control_answer_problem(const struct control_answer *a, size_t len);

/* What is the same in every answer to a register. The two processes share it: no pointers. */
struct control_site {
    char ssh_user[LOGIN_NAME_BYTES], jump_user[LOGIN_NAME_BYTES]; /* jump_user "": none */
    char ssh_host[256], reverse_bind_host[256];
    uint16_t ssh_port, control_port; /* control_port: on the gateway's loopback; 0: none */
    int64_t heartbeat_interval_s;
    char host_keys[CONTROL_HOST_KEYS_MAX][CONTROL_HOST_KEY_BYTES]; /* up to the first "" */
};

/* ---- JSON: only http calls these ---- */

/*
 * Parses the body of a POST into *ret, which the caller initialised. Sets neither id nor address,
 * and uses api_key as the credential only if none is set yet. NULL; or the problem, as one sentence
 * for the agent's log: not UTF-8, not JSON, a key twice, too deep, a wrong type, no such action, or
 * a field missing.
 */
const char *control_parse(const char *body, size_t len, struct control_request *ret);

/* What control_format made of a site, for the next answer. Empty when zero-initialised. */
struct control_site_cache {
    struct control_site site; /* what the members and the hint were made of */
    struct buf members;
    char hint[320]; /* the start of connect_hint, up to the port */
};

/* Adds the body of the answer, without a newline. 0, or -1 when memory ran out. */
int control_format(const struct control_answer *a, const struct control_site *site,
                   struct control_site_cache *cache, struct buf *out);
void control_site_cache_release(struct control_site_cache *cache);

#endif
