/* SPDX-License-Identifier: ISC */
#include "lib/conf/together.h"

#include "lib/base/text.h"
#include "lib/conf/conf.h"

#include <arpa/inet.h>
#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

static bool is_loopback_host(const char *host)
{
    struct in_addr v4;
    return strcmp(host, "::1") == 0 ||
           (inet_pton(AF_INET, host, &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127);
}

static bool agent_host_in_ceiling(const struct conf *c)
{
    for (size_t i = 0; i < c->ceiling.listen.count; i++)
        if (ceiling_rule_holds(&c->ceiling.listen, i, c->agent_login) &&
            strcmp(c->ceiling.listen.items[i].permit.host, c->agent_bind_host) == 0)
            return true;
    return false;
}

/* How well an address serves agents, which ask the gateway's own sshd for 127.0.0.1. */
static int control_rank(const char *host)
{
    if (strcmp(host, "127.0.0.1") == 0)
        return 3;
    return strcmp(host, "0.0.0.0") == 0 ? 2 : is_loopback_host(host) ? 1 : 0;
}

static void choose_control(struct conf *c)
{
    const struct permit *best = NULL;
    for (size_t i = 0; i < c->listen_count; i++) {
        const struct permit *address = &c->listen[i].address;
        if (c->listen[i].unix_path[0] == '\0' &&
            (best == NULL || control_rank(address->host) > control_rank(best->host)))
            best = address;
    }
    if (best == NULL)
        return;
    c->ceiling.control = *best;
    if (strcmp(best->host, "0.0.0.0") == 0)
        (void)strlcpy(c->ceiling.control.host, "127.0.0.1", sizeof(c->ceiling.control.host));
}

/* Whether one address stands in two lines: the second could not be listened on. */
static bool listens_twice(const struct conf *c)
{
    for (size_t i = 0; i < c->listen_count; i++) {
        if (c->has_metrics_listen && conf_same_place(&c->listen[i], &c->metrics_listen))
            return true;
        for (size_t j = 0; j < i; j++)
            if (conf_same_place(&c->listen[i], &c->listen[j]))
                return true;
    }
    return false;
}

int conf_check_together(struct conf *c, const char *file, char *err)
{
    const char *problem = NULL;
    char text[512];

    (void)strlcpy(c->ceiling.forward_login, c->forward_login, sizeof(c->ceiling.forward_login));
    (void)strlcpy(c->ceiling.agent_login, c->agent_login, sizeof(c->ceiling.agent_login));
    choose_control(c);
    for (size_t i = 0; i < c->listen_count; i++) {
        bool tcp = c->listen[i].unix_path[0] == '\0';
        if (tcp && !c->allow_plain_http && !is_loopback_host(c->listen[i].address.host))
            problem = "Listen names an address that is not loopback: put a TLS proxy in front, "
                      "or set AllowPlainHTTP yes";
    }
    bool has_proxy = false;
    for (size_t i = 0; i < c->listen_count; i++)
        has_proxy = has_proxy || c->listen[i].proxy_group[0] != '\0';
    if (has_proxy && c->proxy_header == PROXY_HEADER_NONE)
        problem =
            "ProxyHeader is missing: it names the header in which the proxy of 'Listen unix:/path "
            "proxy GROUP' says who asks";
    if (!has_proxy && c->proxy_header != PROXY_HEADER_NONE)
        problem = "ProxyHeader is believed on 'Listen unix:/path proxy GROUP' alone, and there is "
                  "no such line";
    if (listens_twice(c))
        problem = "an address stands in two lines of Listen and MetricsListen";
    if (c->max_ttl_s != 0 && c->default_ttl_s > c->max_ttl_s)
        problem = "DefaultTTL is longer than MaxTTL";
    if (strcmp(c->forward_login, c->agent_login) == 0)
        problem = "ForwardLogin and AgentLogin must be two logins";
    if (!agent_host_in_ceiling(c)) {
        bool v6 = strchr(c->agent_bind_host, ':') != NULL;
        char host[CONF_TEXT_BYTES + 2];
        (void)snprintf(host, sizeof(host), v6 ? "[%s]" : "%s", c->agent_bind_host);
        (void)snprintf(
            text, sizeof(text),
            "AgentBindHost (AGENT_REVERSE_BIND_HOST) %.80s does not lie within AllowListen: "
            "'AllowListen %.40s %.80s:20000-29999' would let agents listen there",
            host, c->agent_login, host);
        problem = text;
    }
    if (c->default_open.low != 0 &&
        ceiling_open_problem(&c->ceiling, c->forward_login, &c->default_open) != NULL)
        problem = "DefaultOpen does not lie within AllowOpen";
    if (problem == NULL)
        return 0;
    (void)snprintf(err, CONF_ERROR_BYTES, "%s: %s", text_clip(file).s, problem);
    return -1;
}
