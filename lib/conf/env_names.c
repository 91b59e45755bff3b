/* SPDX-License-Identifier: ISC */
#include "lib/conf/env_names.h"

#include "lib/base/buf.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/conf/keywords.h"
#include "lib/conf/loading.h"

#include <bsd/string.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct env_name {
    const char *name;
    int (*take)(struct env_ctx *ctx, const struct env_name *env, char *value);
    const char *is; /* the keyword that it sets, or why it is not used */
};

int env_bad(struct loading *in, const char *name, const char *problem)
{
    (void)snprintf(in->err, CONF_ERROR_BYTES, "%s: %s %s", text_clip(in->file).s, name, problem);
    return loading_wrong(in, -1);
}

static int add_api_key(struct env_ctx *ctx, const struct env_name *env, char *key)
{
    struct conf *c = ctx->in->conf;
    (void)env;
    if (c->api_key_count == CONF_API_KEYS_MAX)
        return env_bad(ctx->in, "API_KEYS", "holds more than 32 keys");
    c->api_keys[c->api_key_count] = strdup(key);
    if (c->api_keys[c->api_key_count] == NULL)
        return env_bad(ctx->in, "API_KEYS", "does not fit in memory");
    c->api_key_count++;
    return 0;
}

static int add_api_keys(struct env_ctx *ctx, const struct env_name *env, char *value)
{
    char *rest = value;
    for (char *key; (key = strsep(&rest, ",")) != NULL;)
        if (*key != '\0' && add_api_key(ctx, env, key) != 0)
            return -1;
    return 0;
}

static int take_host(struct env_ctx *ctx, const struct env_name *env, char *value)
{
    if (strlcpy(ctx->host, value, sizeof(ctx->host)) >= sizeof(ctx->host))
        return env_bad(ctx->in, env->name, "is too long");
    return 0;
}

static int take_port(struct env_ctx *ctx, const struct env_name *env, char *value)
{
    if (strlcpy(ctx->port, value, sizeof(ctx->port)) >= sizeof(ctx->port))
        return env_bad(ctx->in, env->name, "is too long");
    return 0;
}

static int warn_unused(struct env_ctx *ctx, const struct env_name *env, char *value)
{
    (void)value;
    if (ctx->in->warnings != NULL)
        buf_addf(ctx->in->warnings, "%s: %s is not used: %s\n", ctx->in->file, env->name, env->is);
    return 0;
}

static int set_keyword(struct env_ctx *ctx, const struct env_name *env, char *value)
{
    const char *problem = keywords_set(ctx->in, env->is, &value, 1);
    return problem != NULL ? env_bad(ctx->in, env->name, problem) : 0;
}

static int set_days(struct env_ctx *ctx, const struct env_name *env, char *value)
{
    char days[CONF_TEXT_BYTES];
    int64_t count;
    if (!number_parse(value, strlen(value), 0, 99999, &count))
        return env_bad(ctx->in, env->name, "is not a number of days");
    (void)snprintf(days, sizeof(days), "%" PRId64 "d", count);
    return set_keyword(ctx, env, days);
}

static const struct env_name names[] = {
    {"API_KEY", add_api_key, NULL},
    {"API_KEYS", add_api_keys, NULL},
    {"SERVER_HOST", take_host, NULL},
    {"SERVER_PORT", take_port, NULL},
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

int env_take(struct env_ctx *ctx, const char *name, char *value)
{
    if (*value == '\0') /* as if it were not there, as in ssh-tunnel-gateway's own examples */
        return 0;
    for (size_t i = 0; i < NAME_COUNT; i++)
        if (strcmp(names[i].name, name) == 0)
            return names[i].take(ctx, &names[i], value);
    return 0; /* other names in it are somebody else's */
}

int env_replace_listen(struct env_ctx *ctx)
{
    char text[CONF_TEXT_BYTES + 16];
    char *word = text;
    bool bare_v6 = strchr(ctx->host, ':') != NULL && ctx->host[0] != '[';
    if (*ctx->host == '\0' && *ctx->port == '\0')
        return 0;
    (void)snprintf(text, sizeof(text), bare_v6 ? "[%s]:%s" : "%s:%s",
                   *ctx->host != '\0' ? ctx->host : "127.0.0.1",
                   *ctx->port != '\0' ? ctx->port : CONF_CONTROL_PORT);
    ctx->in->own_listen = false;
    const char *problem = keywords_set(ctx->in, "Listen", &word, 1);
    return problem != NULL ? env_bad(ctx->in, "SERVER_HOST, SERVER_PORT:", problem) : 0;
}
