/* SPDX-License-Identifier: ISC */
/*
 * The whole configuration: tunlease.conf(5), and the environment names of ssh-tunnel-gateway from
 * leased.env in the same directory, which win over tunlease.conf (tunlease.conf(5)).
 */
#ifndef TUNLEASE_CONF_CONF_H
#define TUNLEASE_CONF_CONF_H

#include "lib/conf/paths.h"
#include "lib/lease/ceiling.h"
#include "lib/lease/name.h"
#include "lib/lease/permit.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONF_CONTROL_PORT "12000" /* leased's port when there is no Listen line */

enum {
    CONF_ERROR_BYTES = 1024,
    CONF_LISTENERS_MAX = 8,
    CONF_API_KEYS_MAX = 32,
    CONF_TEXT_BYTES = 256,
};

enum session_refusal { SESSION_REFUSAL_MESSAGE, SESSION_REFUSAL_SILENT };
/* Where two hosts have the state of one agent: who goes on. */
enum copied_agents { COPIED_AGENTS_NEWEST, COPIED_AGENTS_REFUSE };

/* The header in which a proxy names its client's address. */
enum proxy_header { PROXY_HEADER_NONE, PROXY_HEADER_REAL_IP, PROXY_HEADER_FORWARDED_FOR };

struct conf_listener {
    char unix_path[CONF_PATH_BYTES];   /* "": a TCP listener at address */
    struct permit address;             /* one HOST:PORT */
    char proxy_group[CONF_NAME_BYTES]; /* "": not for a proxy; else its members may connect */
};

static_assert((int)CONF_NAME_BYTES == (int)LOGIN_NAME_BYTES,
              "lib/conf/paths.h includes no lib/lease");

struct conf {
    struct conf_paths paths;
    char forward_login[CONF_NAME_BYTES];
    char agent_login[CONF_NAME_BYTES];
    char tunnel_group[CONF_NAME_BYTES];
    char join_login[CONF_NAME_BYTES]; /* "": not set, and nobody can join */
    enum session_refusal session_refusal;
    int64_t default_ttl_s;
    int64_t max_ttl_s;          /* 0: no limit */
    struct permit default_open; /* low 0: not set */
    struct ceiling ceiling;     /* conf_cross_check fills in its logins and control port */
    char agent_bind_host[CONF_TEXT_BYTES];
    struct conf_listener listen[CONF_LISTENERS_MAX];
    size_t listen_count;
    bool allow_plain_http;
    enum proxy_header proxy_header;
    char api_key_file[CONF_PATH_BYTES]; /* "": not set */
    char *api_keys[CONF_API_KEYS_MAX];  /* from API_KEY and API_KEYS; owned */
    size_t api_key_count;
    unsigned max_pending_agents;
    bool issue_keys;
    char sshd[CONF_PATH_BYTES]; /* "": the sshd that is found to be running */
    char public_host[CONF_TEXT_BYTES];
    uint16_t public_port;
    char jump_user[CONF_NAME_BYTES]; /* "": not set */
    char contact[CONF_TEXT_BYTES];   /* "": not set */
    struct conf_listener metrics_listen;
    bool has_metrics_listen;
    int64_t quarantine_ttl_s;
    int64_t keep_expired_s;
    int64_t audit_keep_s;
    int64_t heartbeat_interval_s;
    enum copied_agents copied_agents;
};

int conf_set_defaults(struct conf *c); /* 0, or -1: out of memory; release it in either case */
void conf_release(struct conf *c);
void conf_forget_keys(struct conf *c); /* erases and frees api_keys, once they are hashed */

/* The logins that are set, for join_login_problem. */
void conf_logins_of(const struct conf *c, struct conf_logins *ret);

const char *conf_proxy_header_name(enum proxy_header header); /* "" for none */
/* True if both have the same path, or the same address and port. */
bool conf_same_place(const struct conf_listener *a, const struct conf_listener *b);
/* True if their lines in the file say the same. */
bool conf_same_listener(const struct conf_listener *a, const struct conf_listener *b);

#endif
