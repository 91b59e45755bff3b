/* SPDX-License-Identifier: ISC */
/*
 * What `leasectl ssh-config` prints: a client's ssh_config stanzas with the host keys they pin, and
 * a systemd unit and a launchd job that hold a tunnel.
 */
#ifndef TUNLEASE_LEASECTL_SHOW_SSH_CONFIG_H
#define TUNLEASE_LEASECTL_SHOW_SSH_CONFIG_H

#include "lib/handout/connect_line.h"
#include "lib/base/buf.h"

#define SSH_HOST_GATEWAY "+gateway"

enum {
    SSH_CONFIG_HOSTS_MAX = 1 + 2 * LEASE_OPEN_AGENTS_MAX,
    SSH_HOST_BYTES = 2 * LEASE_NAME_BYTES + sizeof(SSH_HOST_GATEWAY), /* an @ becomes ++ */
};

/* For whom it is. All of it is filled in by the caller, who keeps it until the texts are made. */
struct ssh_client {
    const struct conf *conf;
    const struct lease *lease;                    /* of the holder; of an agent when is_agent */
    const struct pubkey *gateway_key;             /* sshd's host key */
    struct opened_agents agents;                  /* those to jump to */
    struct buf agent_keys[LEASE_OPEN_AGENTS_MAX]; /* their host keys, one TYPE BASE64 a line */
    struct forwards forwards;                     /* of the tunnel; none when is_agent */
    const char *jump_login;                       /* the login on the gateway for jumps */
    const char *key_file; /* of the holder's key; NULL: ssh finds it by itself */
    bool is_agent;
};

/* The texts. A service text is empty where there is no tunnel to hold. */
struct ssh_config {
    char hosts[SSH_CONFIG_HOSTS_MAX][SSH_HOST_BYTES]; /* the Host names */
    size_t host_count;
    struct buf stanzas, known_hosts, command, unit, plist;
};

/* Each sets failed of a text when memory ran out. */
void ssh_config_format(const struct ssh_client *client, struct ssh_config *ret);
void ssh_config_release(struct ssh_config *c);

/* The names of the systemd unit (without .service) and of the launchd job. */
enum { SSH_SERVICE_NAME_BYTES = LEASE_NAME_BYTES + sizeof("tunlease-") };
void ssh_config_unit_name(const struct lease *l, char out[static SSH_SERVICE_NAME_BYTES]);
void ssh_config_job_name(const struct lease *l, char out[static SSH_SERVICE_NAME_BYTES]);

/* Adds the name under which a client pins a host key: this gateway's; or agent's, when it is not
 * NULL, so that its port on the gateway is never taken for another machine's. */
void ssh_config_add_alias(const struct conf *conf, const struct opened_agent *agent,
                          struct buf *out);

/* Formats the systemd user unit, and the launchd job, that hold the tunnel of line. */
void ssh_service_add_unit(const struct ssh_client *client, const char *line, struct buf *out);
void ssh_service_add_plist(const struct ssh_client *client, const char *line, struct buf *out);

#endif
