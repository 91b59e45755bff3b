/* SPDX-License-Identifier: ISC */
#include "lib/conf/paths.h"

#include "lib/base/keyword.h"

#include <bsd/string.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum { PATH_LINE_BAD = 1 };

struct paths_ctx {
    struct conf_paths paths;
    bool has_database;
    bool has_run_dir;
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

static int parse_line(void *arg, const struct keyword_line *line)
{
    struct paths_ctx *ctx = arg;
    if (strcasecmp(line->keyword, "Database") == 0)
        return parse_path(ctx, line, &ctx->has_database, ctx->paths.database);
    if (strcasecmp(line->keyword, "RunDir") == 0)
        return parse_path(ctx, line, &ctx->has_run_dir, ctx->paths.run_dir);
    return 0;
}

const char *conf_paths_load(const char *file, struct conf_paths *ret)
{
    struct paths_ctx ctx = {
        .paths = {.database = CONF_DEFAULT_DATABASE, .run_dir = CONF_DEFAULT_RUN_DIR}};
    int rc = keyword_read(file != NULL ? file : CONF_DEFAULT_FILE, parse_line, &ctx);
    if (rc == PATH_LINE_BAD)
        return ctx.problem;
    if (rc != KEYWORD_OK && !(rc == KEYWORD_NO_FILE && file == NULL))
        return keyword_strerror(rc);
    *ret = ctx.paths;
    return NULL;
}
