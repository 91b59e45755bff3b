/* SPDX-License-Identifier: ISC */
#include "lib/conf/cross_checks.h"

#include "lib/base/buf.h"
#include "lib/conf/keywords.h"
#include "lib/conf/loading.h"

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
        if (ceiling_rule_applies(&c->ceiling.listen, i, c->agent_login) &&
            strcmp(c->ceiling.listen.items[i].permit.host, c->agent_bind_host) == 0)
            return true;
    return false;
}

/* The higher, the better an address serves agents: they have the gateway's sshd open 127.0.0.1. */
static int control_rank(const char *host)
{
    if (strcmp(host, "127.0.0.1") == 0)
        return 3;
    return strcmp(host, "0.0.0.0") == 0 ? 2 : is_loopback_host(host) ? 1 : 0;
}

static void choose_control_address(struct conf *c)
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

/* ---- the rules: each returns NULL or a problem, for which it may use text ---- */

enum { RULE_TEXT_BYTES = 512 };

static const char *plain_http_problem(const struct conf *c, char text[static RULE_TEXT_BYTES])
{
    (void)text;
    for (size_t i = 0; i < c->listen_count; i++)
        if (c->listen[i].unix_path[0] == '\0' && !c->allow_plain_http &&
            !is_loopback_host(c->listen[i].address.host))
            return "Listen names an address that is not loopback: put a TLS proxy in front, "
                   "or set AllowPlainHTTP yes";
    return NULL;
}

static const char *proxy_problem(const struct conf *c, char text[static RULE_TEXT_BYTES])
{
    bool has_proxy = false;
    (void)text;
    for (size_t i = 0; i < c->listen_count; i++)
        has_proxy = has_proxy || c->listen[i].proxy_group[0] != '\0';
    if (has_proxy && c->proxy_header == PROXY_HEADER_NONE)
        return "ProxyHeader is missing: it names the header in which the proxy of 'Listen "
               "unix:/path proxy GROUP' says who asks";
    if (!has_proxy && c->proxy_header != PROXY_HEADER_NONE)
        return "ProxyHeader is believed only on 'Listen unix:/path proxy GROUP', and there is "
               "no such line";
    return NULL;
}

/* bind(2) would fail on the second of two equal addresses. */
static const char *addresses_problem(const struct conf *c, char text[static RULE_TEXT_BYTES])
{
    (void)text;
    return listens_twice(c) ? "the same address is in two lines of Listen or MetricsListen" : NULL;
}

static const char *ttl_problem(const struct conf *c, char text[static RULE_TEXT_BYTES])
{
    (void)text;
    return c->max_ttl_s != 0 && c->default_ttl_s > c->max_ttl_s ? "DefaultTTL is longer than MaxTTL"
                                                                : NULL;
}

static const char *logins_problem(const struct conf *c, char text[static RULE_TEXT_BYTES])
{
    (void)text;
    return strcmp(c->forward_login, c->agent_login) == 0
               ? "ForwardLogin and AgentLogin must be two logins"
               : NULL;
}

/* Whoever has an open invite may offer any key to JoinLogin, so it is nobody else's. */
static const char *join_login_is_taken(const struct conf *c, char text[static RULE_TEXT_BYTES])
{
    const struct {
        const char *keyword, *login;
    } others[] = {
        {"ForwardLogin", c->forward_login},
        {"AgentLogin", c->agent_login},
        {"JumpUser", c->jump_user},
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (c->join_login[0] != '\0' && strcmp(c->join_login, others[i].login) == 0) {
            (void)snprintf(text, RULE_TEXT_BYTES,
                           "JoinLogin and %s must be two logins: whoever has an invite may offer "
                           "any key to JoinLogin",
                           others[i].keyword);
            return text;
        }
    return NULL;
}

static const char *bind_host_problem(const struct conf *c, char text[static RULE_TEXT_BYTES])
{
    bool v6 = strchr(c->agent_bind_host, ':') != NULL;
    char host[CONF_TEXT_BYTES + 2];
    if (agent_host_in_ceiling(c))
        return NULL;
    (void)snprintf(host, sizeof(host), v6 ? "[%s]" : "%s", c->agent_bind_host);
    (void)snprintf(text, RULE_TEXT_BYTES,
                   "AgentBindHost (AGENT_REVERSE_BIND_HOST) %.80s does not lie within AllowListen: "
                   "'AllowListen %.40s %.80s:20000-29999' would let agents listen there",
                   host, c->agent_login, host);
    return text;
}

static const char *default_open_problem(const struct conf *c, char text[static RULE_TEXT_BYTES])
{
    (void)text;
    return c->default_open.low != 0 &&
                   ceiling_open_problem(&c->ceiling, c->forward_login, &c->default_open) != NULL
               ? "DefaultOpen does not lie within AllowOpen"
               : NULL;
}

enum { RULE_KEYWORDS = 4 };

static const struct rule {
    const char *keywords[RULE_KEYWORDS]; /* NULL after the last, if there are fewer */
    const char *(*find_problem)(const struct conf *c, char text[static RULE_TEXT_BYTES]);
} rules[] = {
    {{"Listen", "AllowPlainHTTP"}, plain_http_problem},
    {{"Listen", "ProxyHeader"}, proxy_problem},
    {{"Listen", "MetricsListen"}, addresses_problem},
    {{"DefaultTTL", "MaxTTL"}, ttl_problem},
    {{"ForwardLogin", "AgentLogin"}, logins_problem},
    {{"JoinLogin", "ForwardLogin", "AgentLogin", "JumpUser"}, join_login_is_taken},
    {{"AgentBindHost", "AllowListen", "AgentLogin"}, bind_host_problem},
    {{"DefaultOpen", "AllowOpen", "ForwardLogin"}, default_open_problem},
};

/* Only leased says so: it is no error, and each command of leasectl would repeat it. */
static void warn_of_page(struct loading *load)
{
    const struct ceiling *c = &load->conf->ceiling;
    const struct ceiling_rule *wide = ceiling_page_rule(c);
    char text[PERMIT_TEXT_BYTES];
    if (wide == NULL || !load->is_daemon || load->warnings == NULL)
        return;
    permit_format(&wide->permit, text);
    buf_addf(load->warnings,
             "%s: AllowOpen %s%s%s opens the port of MetricsListen in sshd's Match block, where "
             "leased alone refuses tunnels: 'MetricsListen unix:PATH' is closed to all of them\n",
             load->file, wide->login, wide->login[0] != '\0' ? " " : "", text);
}

void conf_cross_check(struct loading *load)
{
    struct conf *c = load->conf;
    char text[RULE_TEXT_BYTES];

    (void)strlcpy(c->ceiling.forward_login, c->forward_login, sizeof(c->ceiling.forward_login));
    (void)strlcpy(c->ceiling.agent_login, c->agent_login, sizeof(c->ceiling.agent_login));
    choose_control_address(c);
    if (c->has_metrics_listen && c->metrics_listen.unix_path[0] == '\0')
        c->ceiling.page = c->metrics_listen.address;
    (void)strlcpy(c->ceiling.own_name, c->public_host, sizeof(c->ceiling.own_name));
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (!keywords_are_valid(load, rules[i].keywords, RULE_KEYWORDS))
            continue;
        const char *problem = rules[i].find_problem(c, text);
        if (problem != NULL)
            loading_problem(load, ": %s", problem);
    }
    warn_of_page(load);
}
