/* SPDX-License-Identifier: ISC */
#include "lib/conf/keywords.h"

#include "lib/base/keyword.h"
#include "lib/base/text.h"
#include "lib/conf/loading.h"
#include "lib/conf/value.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char *add_open(struct loading *in, char *const *words, size_t count)
{
    if (!in->own_open)
        ceiling_rules_release(&in->conf->ceiling.open);
    in->own_open = true;
    return value_rule(&in->conf->ceiling.open, words, count);
}

static const char *add_listen_rule(struct loading *in, char *const *words, size_t count)
{
    if (!in->own_listen_rule)
        ceiling_rules_release(&in->conf->ceiling.listen);
    in->own_listen_rule = true;
    return value_rule(&in->conf->ceiling.listen, words, count);
}

/* `unix:/path proxy GROUP`: what comes in there says itself who asked, so that who may connect has
 * to be named. */
static const char *set_proxy(struct conf_listener *l, char *const *words)
{
    if (strcasecmp(words[1], "proxy") != 0)
        return "takes one value, or unix:/path proxy GROUP";
    if (l->unix_path[0] == '\0')
        return "is a proxy's group, and stands behind unix:/path alone: any program of this host "
               "reaches a "
               "port";
    return value_name(l->proxy_group, words + 2, 1);
}

static const char *add_listen(struct loading *in, char *const *words, size_t count)
{
    struct conf *c = in->conf;
    if (count == 2 && strcasecmp(words[1], "proxy") == 0)
        return "names no group whose members may connect: unix:/path proxy GROUP";
    if (!in->own_listen)
        c->listen_count = 0;
    in->own_listen = true;
    if (c->listen_count == CONF_LISTENERS_MAX)
        return "is given more than 8 times";
    struct conf_listener *l = &c->listen[c->listen_count];
    const char *problem = value_listener(l, words, count == 3 ? 1 : count);
    if (problem == NULL && count == 3)
        problem = set_proxy(l, words);
    if (problem == NULL)
        c->listen_count++;
    return problem;
}

static const char *take_metrics_listen(struct loading *in, char *const *words, size_t count)
{
    in->conf->has_metrics_listen = true;
    return value_listener(&in->conf->metrics_listen, words, count);
}

/* The one table of CONTRACT 3. A keyword has a field and its setter, or a function of its own. */
static const struct keyword {
    const char *name;
    value_fn set;
    size_t offset;
    const char *(*take)(struct loading *in, char *const *words, size_t count);
    bool repeatable;
} keywords[] = {
#define FIELD(f) offsetof(struct conf, f), NULL, false
#define OWN(fn, again) 0, fn, again
    {"Database", value_path, FIELD(paths.database)},
    {"RunDir", value_path, FIELD(paths.run_dir)},
    {"ForwardLogin", value_name, FIELD(forward_login)},
    {"AgentLogin", value_name, FIELD(agent_login)},
    {"TunnelGroup", value_name, FIELD(tunnel_group)},
    {"SessionRefusal", value_session_refusal, FIELD(session_refusal)},
    {"DefaultTTL", value_duration, FIELD(default_ttl_s)},
    {"MaxTTL", value_duration_or_none, FIELD(max_ttl_s)},
    {"DefaultOpen", value_permit, FIELD(default_open)},
    {"AllowOpen", NULL, OWN(add_open, true)},
    {"AllowListen", NULL, OWN(add_listen_rule, true)},
    {"AgentBindHost", value_bind_host, FIELD(agent_bind_host)},
    {"Listen", NULL, OWN(add_listen, true)},
    {"AllowPlainHTTP", value_bool, FIELD(allow_plain_http)},
    {"ProxyHeader", value_proxy_header, FIELD(proxy_header)},
    {"ApiKeyFile", value_path, FIELD(api_key_file)},
    {"MaxPendingAgents", value_count, FIELD(max_pending_agents)},
    {"IssueKeys", value_bool, FIELD(issue_keys)},
    {"Sshd", value_path, FIELD(sshd)},
    {"PublicHost", value_host, FIELD(public_host)},
    {"PublicPort", value_port, FIELD(public_port)},
    {"JumpUser", value_name, FIELD(jump_user)},
    {"Contact", value_text, FIELD(contact)},
    {"MetricsListen", NULL, OWN(take_metrics_listen, false)},
    {"QuarantineTTL", value_duration, FIELD(quarantine_ttl_s)},
    {"KeepExpired", value_duration, FIELD(keep_expired_s)},
    {"AuditKeep", value_duration, FIELD(audit_keep_s)},
    {"HeartbeatInterval", value_duration, FIELD(heartbeat_interval_s)},
#undef FIELD
#undef OWN
};

enum { KEYWORD_COUNT = sizeof(keywords) / sizeof(keywords[0]) };
static_assert((int)KEYWORD_COUNT <= (int)CONF_KEYWORDS_MAX, "struct loading has room for each");

static int bad_line(struct loading *in, const struct keyword_line *line, const char *problem)
{
    const char *value = line->value_count > 0 ? line->values[line->value_count - 1] : "";
    (void)snprintf(in->err, CONF_ERROR_BYTES, "%s:%u: %s%s%s %s", text_clip(in->file).s,
                   line->line_no, text_clip(line->keyword).s, line->value_count > 0 ? " " : "",
                   text_clip(value).s, problem);
    return loading_wrong(in, 1);
}

static const char *set_keyword(struct loading *in, size_t i, char *const *words, size_t count)
{
    const struct keyword *k = &keywords[i];
    return k->take != NULL ? k->take(in, words, count)
                           : k->set((char *)in->conf + k->offset, words, count);
}

int keywords_take_line(void *arg, const struct keyword_line *line)
{
    struct loading *in = arg;
    size_t i = 0;

    while (i < KEYWORD_COUNT && strcasecmp(line->keyword, keywords[i].name) != 0)
        i++;
    if (i == KEYWORD_COUNT)
        return bad_line(in, line, "is no keyword of tunlease.conf(5)");
    if (line->malformed != NULL)
        return bad_line(in, line, line->malformed);
    if (in->seen[i] && !keywords[i].repeatable)
        return bad_line(in, line, "is given a second time");
    in->seen[i] = true;
    const char *problem = set_keyword(in, i, line->values, line->value_count);
    return problem != NULL ? bad_line(in, line, problem) : 0;
}

const char *keywords_set(struct loading *in, const char *name, char *const *words, size_t count)
{
    size_t i = 0;
    while (strcmp(keywords[i].name, name) != 0)
        i++;
    return set_keyword(in, i, words, count);
}
