/* SPDX-License-Identifier: ISC */
/* The command line of everything that runs tunnels: ssh's words, or a gateway's. */
#ifndef TUNLEASE_AGENT_CONFIG_OPTIONS_H
#define TUNLEASE_AGENT_CONFIG_OPTIONS_H

#include "tunnel-agent/config/leg.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OPTIONS_WHY_BYTES = 512 };

enum options_mode {
    OPTIONS_LEG,     /* -L ... [USER@]HOST */
    OPTIONS_FILE,    /* -c tunnels.conf */
    OPTIONS_GATEWAY, /* --endpoint URL, or --gateway HOST */
};

/* Borrowed from argv and the environment. */
struct gateway_options {
    const char *endpoint, *gateway; /* one of the two */
    const char *credential;         /* of --api-key or --token, @FILE not yet read; or NULL */
    const char *agent_id, *target_host, *target_port, *reverse_bind_host, *over_ssh;
    const char *ssh_host, *ssh_port, *ssh_config; /* SSH_HOST, SSH_PORT, SSH_CONFIG_PATH, or NULL */
    const char *host_key;                         /* SHA256:..., or NULL */
    uint16_t control_port;                        /* 0: what the gateway says */
    bool insecure;
};

struct options {
    enum options_mode mode;
    bool is_service;       /* -d: under a supervisor */
    const char *conf_file; /* -c, or NULL; in other modes it may hold settings alone */
    struct leg leg;        /* of OPTIONS_LEG; to be released */
    struct gateway_options gateway;
    bool credential_is_visible; /* it stands on the command line itself */
};

/* 0, or -1 with a sentence in why. Remarks go to stderr where a person started us. */
int options_parse(int argc, char **argv, struct options *ret, char why[static OPTIONS_WHY_BYTES]);

/* The i-th variable of the environment that o was made of, or that says where the state lies; NULL
 * behind the last. */
const char *options_variable(const struct options *o, size_t i);
void options_release(struct options *o);

#endif
