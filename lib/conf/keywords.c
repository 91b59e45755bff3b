/* SPDX-License-Identifier: ISC */
#include "lib/conf/keywords.h"

#include "lib/base/buf.h"
#include "lib/base/keyword.h"
#include "lib/base/nearest.h"
#include "lib/base/text.h"
#include "lib/conf/loading.h"
#include "lib/conf/permit_line.h"
#include "lib/conf/value.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

/* Adds a rule. The first valid one replaces the default rules. */
static const char *add_rule(struct ceiling_rules *rules, bool *has_own, char *const *words,
                            size_t count)
{
    struct ceiling_rules own = {.items = NULL};
    if (*has_own)
        return value_rule(rules, words, count);
    const char *problem = value_rule(&own, words, count);
    if (problem != NULL)
        return problem;
    ceiling_rules_release(rules);
    *rules = own;
    *has_own = true;
    return NULL;
}

static const char *add_open(struct loading *load, char *const *words, size_t count)
{
    return add_rule(&load->conf->ceiling.open, &load->has_open, words, count);
}

static const char *add_listen_rule(struct loading *load, char *const *words, size_t count)
{
    return add_rule(&load->conf->ceiling.listen, &load->has_listen_rule, words, count);
}

/* `unix:/path proxy GROUP`. Whoever connects there names the client's address, and is believed; so
 * the line must name the group that may connect. */
static const char *set_proxy(struct conf_listener *l, char *const *words)
{
    if (strcasecmp(words[1], "proxy") != 0)
        return "takes one value, or unix:/path proxy GROUP";
    if (l->unix_path[0] == '\0')
        return "names a proxy's group, which works only with unix:/path: any program on this host "
               "can reach a port";
    return value_name(l->proxy_group, words + 2, 1);
}

static const char *add_listen(struct loading *load, char *const *words, size_t count)
{
    struct conf *c = load->conf;
    struct conf_listener l = {.unix_path = ""};
    if (count == 2 && strcasecmp(words[1], "proxy") == 0)
        return "names no group whose members may connect: unix:/path proxy GROUP";
    if (load->has_listen && c->listen_count == CONF_LISTENERS_MAX)
        return "is given more than 8 times";
    const char *problem = value_listener(&l, words, count == 3 ? 1 : count);
    if (problem == NULL && count == 3)
        problem = set_proxy(&l, words);
    if (problem != NULL)
        return problem;
    if (!load->has_listen)
        c->listen_count = 0;
    load->has_listen = true;
    c->listen[c->listen_count++] = l;
    return NULL;
}

static const char *set_metrics_listen(struct loading *load, char *const *words, size_t count)
{
    const char *problem = value_listener(&load->conf->metrics_listen, words, count);
    load->conf->has_metrics_listen = problem == NULL;
    return problem;
}

/* All keywords (tunlease.conf(5)). A keyword has a setter and the field that it sets, or a function
 * of its own. */
static const struct keyword {
    const char *name;
    value_fn set;
    size_t offset;
    const char *(*apply)(struct loading *load, char *const *words, size_t count);
    bool repeatable;
} keywords[] = {
#define FIELD(f) offsetof(struct conf, f), NULL, false
#define OWN(fn, again) 0, fn, again
    {"Database", value_path, FIELD(paths.database)},
    {"RunDir", value_path, FIELD(paths.run_dir)},
    {"ForwardLogin", value_name, FIELD(forward_login)},
    {"AgentLogin", value_name, FIELD(agent_login)},
    {"TunnelGroup", value_name, FIELD(tunnel_group)},
    {"JoinLogin", value_name, FIELD(join_login)},
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
    {"MetricsListen", NULL, OWN(set_metrics_listen, false)},
    {"QuarantineTTL", value_duration, FIELD(quarantine_ttl_s)},
    {"KeepExpired", value_duration, FIELD(keep_expired_s)},
    {"AuditKeep", value_duration, FIELD(audit_keep_s)},
    {"HeartbeatInterval", value_duration, FIELD(heartbeat_interval_s)},
    {"CopiedAgents", value_copied_agents, FIELD(copied_agents)},
#undef FIELD
#undef OWN
};

enum { KEYWORD_COUNT = sizeof(keywords) / sizeof(keywords[0]) };
static_assert((int)KEYWORD_COUNT <= (int)CONF_KEYWORDS_MAX, "struct loading has room for each");

static int bad_value(struct loading *load, const struct keyword_line *line, const char *value,
                     const char *problem)
{
    loading_problem(load, ":%u: %s%s%s %s", line->line_no, text_clip(line->keyword).s,
                    value[0] != '\0' ? " " : "", text_clip(value).s, problem);
    return 0; /* read on: all problems are reported */
}

static int bad_line(struct loading *load, const struct keyword_line *line, const char *problem)
{
    const char *value = line->value_count > 0 ? line->values[line->value_count - 1] : "";
    return bad_value(load, line, value, problem);
}

static size_t find_keyword(const char *name)
{
    size_t i = 0;
    while (i < KEYWORD_COUNT && strcasecmp(name, keywords[i].name) != 0)
        i++;
    return i;
}

static const char *set_keyword(struct loading *load, size_t i, char *const *words, size_t count)
{
    const struct keyword *k = &keywords[i];
    const char *problem = k->apply != NULL ? k->apply(load, words, count)
                                           : k->set((char *)load->conf + k->offset, words, count);
    load->invalid[i] = load->invalid[i] || problem != NULL;
    return problem;
}

/* As bad_line; and where another form of a permit was meant, says that instead. */
static int bad_setting(struct loading *load, const struct keyword_line *line, const char *keyword,
                       const char *problem)
{
    struct buf value = {0}, meant = {0};
    int rc = permit_line_meant(keyword, line, &value, &meant) && buf_text(&value) != NULL &&
                     buf_text(&meant) != NULL
                 ? bad_value(load, line, buf_text(&value), buf_text(&meant))
                 : bad_line(load, line, problem);
    buf_release(&value);
    buf_release(&meant);
    return rc;
}

static int unknown_keyword(struct loading *load, const struct keyword_line *line)
{
    struct nearest near;
    struct buf problem = {0};
    nearest_init(&near, line->keyword);
    for (size_t i = 0; i < KEYWORD_COUNT; i++)
        nearest_offer(&near, keywords[i].name);
    buf_add(&problem, "is no keyword of tunlease.conf(5)");
    nearest_add_question(&near, "", &problem);
    int rc = bad_line(load, line, buf_text_or(&problem, "out of memory"));
    buf_release(&problem);
    return rc;
}

int keywords_parse_line(void *arg, const struct keyword_line *line)
{
    struct loading *load = arg;
    size_t i = find_keyword(line->keyword);

    if (i == KEYWORD_COUNT)
        return unknown_keyword(load, line);
    if (line->malformed != NULL) {
        load->invalid[i] = true;
        return bad_line(load, line, line->malformed);
    }
    if (load->seen[i] && !keywords[i].repeatable)
        return bad_line(load, line, "is given a second time");
    load->seen[i] = true;
    const char *problem = set_keyword(load, i, line->values, line->value_count);
    return problem != NULL ? bad_setting(load, line, keywords[i].name, problem) : 0;
}

const char *keywords_set(struct loading *load, const char *name, char *const *words, size_t count)
{
    return set_keyword(load, find_keyword(name), words, count);
}

bool keywords_are_valid(const struct loading *load, const char *const names[], size_t count)
{
    for (size_t i = 0; i < count && names[i] != NULL; i++)
        if (load->invalid[find_keyword(names[i])])
            return false;
    return true;
}
