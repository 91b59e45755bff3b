/* SPDX-License-Identifier: ISC */
/* The command line of everything that keeps tunnels up: options of ssh, or of a gateway. */
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

/* Borrowed from argv and the environment, but for target_host, which is static. */
struct gateway_options {
    const char *endpoint, *gateway; /* one of the two */
    const char *credential;         /* of --api-key or --token, an @FILE not read yet; or NULL */
    const char *agent_id, *target_host, *target_port, *reverse_bind_host, *over_ssh;
    const char *ssh_host, *ssh_port, *ssh_config; /* SSH_HOST, SSH_PORT, SSH_CONFIG_PATH, or NULL */
    const char *host_key;                         /* SHA256:..., or NULL */
    uint16_t control_port;                        /* 0: use what the gateway says */
    bool insecure;
};

struct options {
    enum options_mode mode;
    bool is_service;       /* -d: runs under a service manager */
    const char *only_leg;  /* of OPTIONS_FILE: the one tunnel to hold up; NULL: all */
    const char *conf_file; /* -c, or NULL; in modes but OPTIONS_FILE it may have settings only */
    struct leg leg;        /* of OPTIONS_LEG; to be released */
    struct gateway_options gateway;
    const char *invite;         /* --invite of `exec`, not read yet; or NULL */
    bool credential_is_visible; /* it is on the command line, where ps(1) shows it */
};

/* 0, or -1 with a sentence in why. Warnings are logged. */
int options_parse(int argc, char **argv, struct options *ret, char why[static OPTIONS_WHY_BYTES]);

/* The same for `exec`, without the command: OPTIONS_LEG always. */
int options_parse_exec(int argc, char **argv, struct options *ret,
                       char why[static OPTIONS_WHY_BYTES]);

/* Name of the i-th environment variable that o was made of, or that names the state directory; NULL
 * after the last. */
const char *options_variable(const struct options *o, size_t i);
void options_release(struct options *o);

#endif
