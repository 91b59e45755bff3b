/* SPDX-License-Identifier: ISC */
#include "lib/conf/print.h"

#include "lib/base/buf.h"
#include "lib/conf/conf.h"

static void add_duration(struct buf *out, const char *keyword, int64_t value_s)
{
    buf_addf(out, "%s %llds\n", keyword, (long long)value_s);
}

static void add_permit(struct buf *out, const char *keyword, const char *login,
                       const struct permit *p)
{
    char text[PERMIT_TEXT_BYTES];
    permit_format(p, text);
    buf_addf(out, "%s %s%s%s\n", keyword, login, *login != '\0' ? " " : "", text);
}

static void add_listener(struct buf *out, const char *keyword, const struct conf_listener *l)
{
    if (l->unix_path[0] != '\0')
        buf_addf(out, "%s unix:%s%s%s\n", keyword, l->unix_path,
                 l->proxy_group[0] != '\0' ? " proxy " : "", l->proxy_group);
    else
        add_permit(out, keyword, "", &l->address);
}

static void add_rules(struct buf *out, const char *keyword, const struct ceiling_rules *rules)
{
    for (size_t i = 0; i < rules->count; i++)
        add_permit(out, keyword, rules->items[i].login, &rules->items[i].permit);
}

static void add_optional(struct buf *out, const char *keyword, const char *value)
{
    buf_addf(out, *value != '\0' ? "%s %s\n" : "# %s is not set\n", keyword, value);
}

void conf_print(const struct conf *c, struct buf *out)
{
    buf_addf(out, "Database %s\nRunDir %s\n", c->paths.database, c->paths.run_dir);
    buf_addf(out, "ForwardLogin %s\nAgentLogin %s\nTunnelGroup %s\nSessionRefusal %s\n",
             c->forward_login, c->agent_login, c->tunnel_group,
             c->session_refusal == SESSION_REFUSAL_SILENT ? "silent" : "message");
    add_optional(out, "JoinLogin", c->join_login);
    add_duration(out, "DefaultTTL", c->default_ttl_s);
    if (c->max_ttl_s == 0)
        buf_add(out, "MaxTTL none\n");
    else
        add_duration(out, "MaxTTL", c->max_ttl_s);
    if (c->default_open.low != 0)
        add_permit(out, "DefaultOpen", "", &c->default_open);
    else
        buf_add(out, "# DefaultOpen is not set\n");
    add_rules(out, "AllowOpen", &c->ceiling.open);
    add_rules(out, "AllowListen", &c->ceiling.listen);
    buf_addf(out, "AgentBindHost %s\n", c->agent_bind_host);
    for (size_t i = 0; i < c->listen_count; i++)
        add_listener(out, "Listen", &c->listen[i]);
    buf_addf(out, "AllowPlainHTTP %s\n", c->allow_plain_http ? "yes" : "no");
    add_optional(out, "ProxyHeader", conf_proxy_header_name(c->proxy_header));
    add_optional(out, "ApiKeyFile", c->api_key_file);
    buf_addf(out, "MaxPendingAgents %u\nIssueKeys %s\nPublicHost %s\nPublicPort %u\n",
             c->max_pending_agents, c->issue_keys ? "yes" : "no", c->public_host, c->public_port);
    add_optional(out, "Sshd", c->sshd);
    add_optional(out, "JumpUser", c->jump_user);
    add_optional(out, "Contact", c->contact);
    if (c->has_metrics_listen)
        add_listener(out, "MetricsListen", &c->metrics_listen);
    else
        buf_add(out, "# MetricsListen is not set\n");
    add_duration(out, "QuarantineTTL", c->quarantine_ttl_s);
    add_duration(out, "KeepExpired", c->keep_expired_s);
    add_duration(out, "AuditKeep", c->audit_keep_s);
    add_duration(out, "HeartbeatInterval", c->heartbeat_interval_s);
    buf_addf(out, "CopiedAgents %s\n",
             c->copied_agents == COPIED_AGENTS_REFUSE ? "refuse" : "newest");
}
