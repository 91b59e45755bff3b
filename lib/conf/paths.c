/* SPDX-License-Identifier: ISC */
#include "lib/conf/paths.h"

#include "lib/base/keyword.h"

#include <bsd/string.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

enum { PATH_LINE_BAD = 1 };

struct paths_ctx {
    struct conf_paths paths;
    struct conf_logins logins;
    bool has_database;
    bool has_run_dir;
    unsigned logins_seen; /* a bit for each row of login_keywords */
    const char *problem;
};

const char *conf_path_problem(const char *path)
{
    if (path[0] != '/')
        return "is not an absolute path";
    if (strlen(path) >= CONF_PATH_BYTES - 64)
        return "is too long a path";
    return NULL;
}

static int parse_path(struct paths_ctx *ctx, const struct keyword_line *line, bool *is_set,
                      char *out)
{
    if (*is_set) /* as in sshd_config(5), the first one counts */
        return 0;
    if (line->malformed != NULL || line->value_count != 1 ||
        conf_path_problem(line->values[0]) != NULL) {
        ctx->problem = "names no usable absolute path for Database or RunDir";
        return PATH_LINE_BAD;
    }
    (void)strlcpy(out, line->values[0], CONF_PATH_BYTES);
    *is_set = true;
    return 0;
}

static const struct {
    const char *keyword;
    size_t offset;
} login_keywords[] = {
    {"JoinLogin", offsetof(struct conf_logins, join_login)},
    {"ForwardLogin", offsetof(struct conf_logins, forward_login)},
    {"AgentLogin", offsetof(struct conf_logins, agent_login)},
    {"JumpUser", offsetof(struct conf_logins, jump_user)},
    {"TunnelGroup", offsetof(struct conf_logins, tunnel_group)},
};

/* A typing error here keeps those out who want to join, and nobody else. */
static void parse_login(struct paths_ctx *ctx, const struct keyword_line *line)
{
    for (size_t i = 0; i < sizeof(login_keywords) / sizeof(login_keywords[0]); i++) {
        if (strcasecmp(line->keyword, login_keywords[i].keyword) != 0 ||
            (ctx->logins_seen & 1U << i) != 0)
            continue;
        ctx->logins_seen |= 1U << i;
        char *field = (char *)&ctx->logins + login_keywords[i].offset;
        if (line->malformed != NULL || line->value_count != 1 || line->values[0][0] == '\0' ||
            strlcpy(field, line->values[0], CONF_NAME_BYTES) >= CONF_NAME_BYTES)
            ctx->logins.problem =
                "has no usable name for JoinLogin, ForwardLogin, AgentLogin, JumpUser or "
                "TunnelGroup";
    }
}

static int parse_line(void *arg, const struct keyword_line *line)
{
    struct paths_ctx *ctx = arg;
    if (strcasecmp(line->keyword, "Database") == 0)
        return parse_path(ctx, line, &ctx->has_database, ctx->paths.database);
    if (strcasecmp(line->keyword, "RunDir") == 0)
        return parse_path(ctx, line, &ctx->has_run_dir, ctx->paths.run_dir);
    parse_login(ctx, line);
    return 0;
}

const char *conf_paths_load_logins(const char *file, struct conf_paths *ret,
                                   struct conf_logins *ret_logins)
{
    struct paths_ctx ctx = {
        .paths = {.database = CONF_DEFAULT_DATABASE, .run_dir = CONF_DEFAULT_RUN_DIR},
        .logins = {.forward_login = CONF_DEFAULT_FORWARD_LOGIN,
                   .agent_login = CONF_DEFAULT_AGENT_LOGIN,
                   .tunnel_group = CONF_DEFAULT_TUNNEL_GROUP}};
    int rc = keyword_read(file != NULL ? file : CONF_DEFAULT_FILE, parse_line, &ctx);
    if (rc == PATH_LINE_BAD)
        return ctx.problem;
    if (rc != KEYWORD_OK && !(rc == KEYWORD_NO_FILE && file == NULL))
        return keyword_strerror(rc);
    *ret = ctx.paths;
    *ret_logins = ctx.logins;
    return NULL;
}

const char *conf_paths_load(const char *file, struct conf_paths *ret)
{
    struct conf_logins unused;
    return conf_paths_load_logins(file, ret, &unused);
}
