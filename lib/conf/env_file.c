/* SPDX-License-Identifier: ISC */
#include "lib/conf/env_file.h"

#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/conf/env_names.h"
#include "lib/conf/keyfile.h"
#include "lib/conf/loading.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* `NAME=value`, the value optionally in quotes; blank lines and lines that start with # or ; are
 * comments (systemd.exec(5), EnvironmentFile=). */
static int take_env_line(struct env_ctx *ctx, char *line, unsigned line_no)
{
    char where[32];
    line += strspn(line, " \t");
    line[strcspn(line, "\r\n")] = '\0';
    if (*line == '\0' || *line == '#' || *line == ';')
        return 0;
    char *value = strchr(line, '=');
    if (value == NULL) { /* the line itself may be a secret */
        (void)snprintf(where, sizeof(where), "line %u", line_no);
        return env_bad(ctx->in, where, "is not NAME=value");
    }
    *value++ = '\0';
    size_t len = strlen(value);
    while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
        value[--len] = '\0';
    if (len >= 2 && (value[0] == '"' || value[0] == '\'') && value[len - 1] == value[0]) {
        value[len - 1] = '\0';
        value++;
    }
    return env_take(ctx, line, value);
}

/* It holds keys, so it is not for everybody to read: who may not does without what it sets. */
static int missing_env(struct loading *in, int error)
{
    if (error == ENOENT)
        return 0;
    if (error != EACCES || geteuid() == 0)
        return env_bad(in, "it", "cannot be read");
    if (in->warnings != NULL)
        buf_addf(in->warnings, "%s: only root may read it: what it sets is left out\n", in->file);
    return 0;
}

/* What it says is ours to read; a daemon does not go on with keys that others know. */
static int check_env_file(struct loading *in, int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return env_bad(in, "it", strerror(errno));
    const char *problem = keyfile_trust_problem(&st);
    if (problem != NULL)
        return env_bad(in, "it", problem);
    problem = keyfile_secrecy_problem(&st);
    if (problem == NULL)
        return 0;
    if (in->warnings != NULL && !in->is_daemon)
        buf_addf(in->warnings, "%s: it %s: %s\n", in->file, problem, keyfile_mend);
    if (!in->is_daemon)
        return 0;
    (void)snprintf(in->err, CONF_ERROR_BYTES, "%s: it %s: %s", text_clip(in->file).s, problem,
                   keyfile_mend);
    return -1;
}

int env_file_load(struct loading *in, const char *conf_file)
{
    char path[CONF_ENV_PATH_BYTES];
    char line[4096];
    struct env_ctx ctx = {.in = in};
    int rc = -1;

    keyfile_env_path(conf_file, path);
    in->file = path;
    /* O_NONBLOCK: opening a FIFO must not wait for a writer. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return missing_env(in, errno);
    FILE *f = fdopen(fd, "r");
    if (f == NULL) {
        (void)close(fd);
        return env_bad(in, "it", "does not fit in memory");
    }
    if (check_env_file(in, fileno(f)) != 0)
        goto out;
    for (unsigned line_no = 1; fgets(line, sizeof(line), f) != NULL; line_no++) {
        if (strlen(line) == sizeof(line) - 1) { /* the rest would be read as another name */
            (void)env_bad(in, "it", "holds a line longer than 4094 bytes");
            goto out;
        }
        if (take_env_line(&ctx, line, line_no) != 0)
            goto out;
    }
    rc = env_replace_listen(&ctx);
out:
    explicit_bzero(line, sizeof(line));
    (void)fclose(f);
    return rc;
}
