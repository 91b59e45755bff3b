/* SPDX-License-Identifier: ISC */
#include "lib/conf/env_names.h"

#include "lib/base/buf.h"
#include "lib/base/number.h"
#include "lib/conf/keywords.h"
#include "lib/conf/loading.h"

#include <bsd/string.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct env_name {
    const char *name;
    void (*apply)(struct env_ctx *ctx, const struct env_name *env, char *value);
    const char *keyword_or_reason; /* the keyword that it sets, or why it is not used */
};

void env_problem(struct loading *load, const char *name, const char *problem)
{
    loading_problem(load, ": %s %s", name, problem);
}

static void add_api_key(struct env_ctx *ctx, const struct env_name *env, char *key)
{
    struct conf *c = ctx->load->conf;
    (void)env;
    if (c->api_key_count == CONF_API_KEYS_MAX) {
        if (!ctx->has_too_many_keys)
            env_problem(ctx->load, "API_KEYS", "holds more than 32 keys");
        ctx->has_too_many_keys = true;
        return;
    }
    c->api_keys[c->api_key_count] = strdup(key);
    if (c->api_keys[c->api_key_count] == NULL)
        env_problem(ctx->load, "API_KEYS", "does not fit in memory");
    else
        c->api_key_count++;
}

static void add_api_keys(struct env_ctx *ctx, const struct env_name *env, char *value)
{
    char *rest = value;
    for (char *key; (key = strsep(&rest, ",")) != NULL;)
        if (*key != '\0')
            add_api_key(ctx, env, key);
}

static void set_listen_host(struct env_ctx *ctx, const struct env_name *env, char *value)
{
    if (strlcpy(ctx->host, value, sizeof(ctx->host)) >= sizeof(ctx->host)) {
        ctx->host[0] = '\0';
        env_problem(ctx->load, env->name, "is too long");
    }
}

static void set_listen_port(struct env_ctx *ctx, const struct env_name *env, char *value)
{
    if (strlcpy(ctx->port, value, sizeof(ctx->port)) >= sizeof(ctx->port)) {
        ctx->port[0] = '\0';
        env_problem(ctx->load, env->name, "is too long");
    }
}

static void warn_unused(struct env_ctx *ctx, const struct env_name *env, char *value)
{
    (void)value;
    if (ctx->load->warnings != NULL)
        buf_addf(ctx->load->warnings, "%s: %s is not used: %s\n", ctx->load->file, env->name,
                 env->keyword_or_reason);
}

static void set_keyword(struct env_ctx *ctx, const struct env_name *env, char *value)
{
    const char *problem = keywords_set(ctx->load, env->keyword_or_reason, &value, 1);
    if (problem != NULL)
        env_problem(ctx->load, env->name, problem);
}

static void set_days(struct env_ctx *ctx, const struct env_name *env, char *value)
{
    char days[CONF_TEXT_BYTES];
    int64_t count;
    if (!number_parse(value, strlen(value), 0, 99999, &count)) {
        env_problem(ctx->load, env->name, "is not a number of days");
        return;
    }
    (void)snprintf(days, sizeof(days), "%" PRId64 "d", count);
    set_keyword(ctx, env, days);
}

static const struct env_name names[] = {
    {"API_KEY", add_api_key, NULL},
    {"API_KEYS", add_api_keys, NULL},
    {"SERVER_HOST", set_listen_host, NULL},
    {"SERVER_PORT", set_listen_port, NULL},
    {"STATE_DIR", warn_unused, "the store is where Database says"},
    {"AUTHORIZED_KEYS_PATH", warn_unused, "no authorized_keys file is ever written"},
    {"SSH_USER", set_keyword, "AgentLogin"},
    {"SSH_JUMP_USER", set_keyword, "JumpUser"},
    {"SSH_PUBLIC_HOST", set_keyword, "PublicHost"},
    {"AGENT_REVERSE_BIND_HOST", set_keyword, "AgentBindHost"},
    {"LEASE_TTL_DAYS", set_days, "DefaultTTL"},
};

enum { NAME_COUNT = sizeof(names) / sizeof(names[0]) };

const char *env_name_at(size_t i)
{
    return i < NAME_COUNT ? names[i].name : NULL;
}

void env_apply(struct env_ctx *ctx, const char *name, char *value)
{
    if (*value == '\0') /* counts as not set, as in ssh-tunnel-gateway's own examples */
        return;
    for (size_t i = 0; i < NAME_COUNT; i++)
        if (strcmp(names[i].name, name) == 0)
            names[i].apply(ctx, &names[i], value);
    /* Any other name belongs to another program. */
}

void env_replace_listen(struct env_ctx *ctx)
{
    char text[CONF_TEXT_BYTES + 16];
    char *word = text;
    bool bare_v6 = strchr(ctx->host, ':') != NULL && ctx->host[0] != '[';
    if (*ctx->host == '\0' && *ctx->port == '\0')
        return;
    (void)snprintf(text, sizeof(text), bare_v6 ? "[%s]:%s" : "%s:%s",
                   *ctx->host != '\0' ? ctx->host : "127.0.0.1",
                   *ctx->port != '\0' ? ctx->port : CONF_CONTROL_PORT);
    ctx->load->has_listen = false;
    const char *problem = keywords_set(ctx->load, "Listen", &word, 1);
    if (problem != NULL)
        env_problem(ctx->load, "SERVER_HOST, SERVER_PORT:", problem);
}
