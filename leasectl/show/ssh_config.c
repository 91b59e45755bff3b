/* SPDX-License-Identifier: ISC */
#include "leasectl/show/ssh_config.h"

#include "lib/base/text.h"
#include "lib/conf/conf.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

/* ---- names ---- */

/* A name for `ssh HOST`, in which what stands before an @ would be a user. Agents choose their own
 * names, and no lease name has a +: so none is the Host of another one, nor of its gateway, which
 * is SSH_HOST_GATEWAY behind it. */
static void host_name(const char *lease_name, const char *suffix, char out[static SSH_HOST_BYTES])
{
    size_t used = 0;
    for (const char *p = lease_name; *p != '\0'; p++) {
        out[used++] = *p == '@' ? '+' : *p;
        if (*p == '@')
            out[used++] = '+';
    }
    (void)strlcpy(out + used, suffix, SSH_HOST_BYTES - used);
}

void ssh_config_unit_name(const struct lease *l, char out[static SSH_SERVICE_NAME_BYTES])
{
    (void)snprintf(out, SSH_SERVICE_NAME_BYTES, "tunlease-%s", l->name);
    for (char *p = out; *p != '\0'; p++)
        if (*p == '@') /* what stands behind it would be an instance */
            *p = '-';
}

void ssh_config_job_name(const struct lease *l, char out[static SSH_SERVICE_NAME_BYTES])
{
    ssh_config_unit_name(l, out);
    out[strlen("tunlease")] = '.';
}

static void add_lower(const char *text, struct buf *out)
{
    for (const char *p = text; *p != '\0'; p++) {
        const char lower = text_lower(*p);
        buf_add_mem(out, &lower, 1);
    }
}

void ssh_config_add_alias(const struct conf *conf, const struct opened_agent *agent,
                          struct buf *out)
{
    buf_add(out, "tunlease:");
    add_lower(conf->public_host, out);
    if (agent == NULL)
        return;
    /* ssh compares these names in lower case; those of leases differ by case as well. */
    buf_add(out, ":");
    add_lower(agent->name, out);
    if (strpbrk(agent->name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != NULL)
        buf_addf(out, ":%lld", (long long)agent->id); /* no lease name has a colon */
}

/* ---- stanzas ---- */

static void add_host(const char *name, struct ssh_config *c)
{
    if (c->host_count > 0)
        buf_add(&c->stanzas, "\n");
    (void)strlcpy(c->hosts[c->host_count++], name, sizeof(c->hosts[0]));
    buf_addf(&c->stanzas, "Host %s\n", name);
}

static void add_setting(struct ssh_config *c, const char *keyword, const char *value)
{
    buf_addf(&c->stanzas, "    %s %s\n", keyword, value);
}

static void add_key_settings(const struct ssh_client *client, bool alone, struct ssh_config *c)
{
    if (client->key_file == NULL)
        return;
    add_setting(c, "IdentityFile", client->key_file);
    if (alone)
        add_setting(c, "IdentitiesOnly", "yes");
}

/* The host key of this name, and no other. A master of the client's may lead to another host that
 * had the same address and port, so none is used. */
static void add_pin(const struct ssh_client *client, const struct opened_agent *agent,
                    bool is_known, struct ssh_config *c)
{
    buf_add(&c->stanzas, "    HostKeyAlias ");
    ssh_config_add_alias(client->conf, agent, &c->stanzas);
    buf_add(&c->stanzas, "\n");
    add_setting(c, "UserKnownHostsFile", "~/.ssh/known_hosts");
    if (is_known) {
        add_setting(c, "StrictHostKeyChecking", "yes");
    } else {
        buf_add(&c->stanzas, "    # The agent has registered no host key: ssh asks once.\n");
        add_setting(c, "StrictHostKeyChecking", "ask");
    }
    add_setting(c, "ControlMaster", "no");
    add_setting(c, "ControlPath", "none");
    add_setting(c, "ControlPersist", "no");
}

static void add_gateway_settings(const struct ssh_client *client, const char *login,
                                 struct ssh_config *c)
{
    char port[8];
    (void)snprintf(port, sizeof(port), "%u", client->conf->public_port);
    add_setting(c, "HostName", client->conf->public_host);
    add_setting(c, "Port", port);
    add_setting(c, "User", login);
    add_pin(client, NULL, true, c);
    add_key_settings(client, true, c);
    add_setting(c, "RequestTTY", "no");
    add_setting(c, "RemoteCommand", "none");
}

static void add_forward_settings(const struct ssh_client *client, struct ssh_config *c)
{
    char target[PERMIT_TEXT_BYTES];
    for (size_t i = 0; i < client->forwards.count; i++) {
        struct permit one = *client->forwards.items[i].permit;
        one.low = one.high = client->forwards.items[i].port;
        permit_format(&one, target);
        buf_addf(&c->stanzas, "    LocalForward %u %s\n", client->forwards.items[i].local_port,
                 target);
    }
    for (size_t i = 0; i < client->lease->listen.count; i++) {
        permit_format(&client->lease->listen.items[i], target);
        buf_add(&c->stanzas, "    # Put what it leads to in place of 127.0.0.1:22.\n");
        buf_addf(&c->stanzas, "    RemoteForward %s 127.0.0.1:22\n", target);
    }
}

static void add_tunnel(const struct ssh_client *client, struct ssh_config *c)
{
    char name[SSH_HOST_BYTES];
    host_name(client->lease->name, "", name);
    add_host(name, c);
    add_gateway_settings(client, client->lease->login, c);
    add_setting(c, "ClearAllForwardings", "no");
    add_setting(c, "ExitOnForwardFailure", "yes");
    add_setting(c, "GatewayPorts", "no");
    add_setting(c, "ServerAliveInterval", "15");
    add_setting(c, "ServerAliveCountMax", "3");
    add_forward_settings(client, c);
}

static void add_jump(const struct ssh_client *client, size_t i, struct ssh_config *c)
{
    const struct opened_agent *a = &client->agents.items[i];
    char name[SSH_HOST_BYTES], gateway[SSH_HOST_BYTES], port[8];
    host_name(a->name, "", name);
    host_name(a->name, SSH_HOST_GATEWAY, gateway);
    (void)snprintf(port, sizeof(port), "%u", a->permit.low);
    add_host(gateway, c);
    add_gateway_settings(client, client->jump_login, c);
    add_host(name, c);
    add_setting(c, "HostName", connect_jump_host(a));
    add_setting(c, "Port", port);
    if (a->user[0] != '\0')
        add_setting(c, "User", a->user);
    else
        buf_add(&c->stanzas, "    # User: as you are called there\n");
    add_setting(c, "ProxyJump", gateway);
    add_pin(client, a, client->agent_keys[i].len > 0, c);
    add_key_settings(client, false, c);
}

/* ---- host keys ---- */

static void add_known_hosts(const struct ssh_client *client, struct ssh_config *c)
{
    ssh_config_add_alias(client->conf, NULL, &c->known_hosts);
    buf_addf(&c->known_hosts, " %s %s\n", client->gateway_key->type, client->gateway_key->base64);
    for (size_t i = 0; i < client->agents.count; i++) {
        const char *rest = buf_text(&client->agent_keys[i]), *line;
        int len;
        while ((line = text_next_line(&rest, &len)) != NULL) {
            if (len == 0)
                continue;
            ssh_config_add_alias(client->conf, &client->agents.items[i], &c->known_hosts);
            buf_addf(&c->known_hosts, " %.*s\n", len, line);
        }
    }
}

/* ---- all of it ---- */

static bool has_tunnel(const struct ssh_client *client)
{
    return !client->is_agent && (client->forwards.count > 0 || client->lease->listen.count > 0);
}

static void add_command(const struct ssh_client *client, struct buf *out)
{
    struct lease jumper = {.id = 0};
    if (has_tunnel(client)) {
        connect_add_tunnel(client->conf, client->lease, &client->forwards, out);
    } else {
        (void)strlcpy(jumper.login, client->jump_login, sizeof(jumper.login));
        connect_add_jump(client->conf, &jumper, &client->agents.items[0], client->key_file, out);
    }
}

void ssh_config_format(const struct ssh_client *client, struct ssh_config *ret)
{
    *ret = (struct ssh_config){.host_count = 0};
    if (has_tunnel(client))
        add_tunnel(client, ret);
    for (size_t i = 0; i < client->agents.count; i++)
        add_jump(client, i, ret);
    add_known_hosts(client, ret);
    add_command(client, &ret->command);
    if (has_tunnel(client) && buf_text(&ret->command) != NULL) {
        ssh_service_add_unit(client, buf_text(&ret->command), &ret->unit);
        ssh_service_add_plist(client, buf_text(&ret->command), &ret->plist);
    }
}

void ssh_config_release(struct ssh_config *c)
{
    buf_release(&c->stanzas);
    buf_release(&c->known_hosts);
    buf_release(&c->command);
    buf_release(&c->unit);
    buf_release(&c->plist);
}
