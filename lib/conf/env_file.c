/* SPDX-License-Identifier: ISC */
#include "lib/conf/env_file.h"

#include "lib/base/buf.h"
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
static void read_line(struct env_ctx *ctx, char *line, unsigned line_no)
{
    char where[32];
    line += strspn(line, " \t");
    line[strcspn(line, "\r\n")] = '\0';
    if (*line == '\0' || *line == '#' || *line == ';')
        return;
    char *value = strchr(line, '=');
    if (value == NULL) { /* do not print the line: it may be a secret */
        (void)snprintf(where, sizeof(where), "line %u", line_no);
        env_problem(ctx->load, where, "is not NAME=value");
        return;
    }
    *value++ = '\0';
    size_t len = strlen(value);
    while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
        value[--len] = '\0';
    if (len >= 2 && (value[0] == '"' || value[0] == '\'') && value[len - 1] == value[0]) {
        value[len - 1] = '\0';
        value++;
    }
    env_apply(ctx, line, value);
}

/* The file holds keys, so most users may not read it. They get a configuration without it, and a
 * warning. */
static void report_missing(struct loading *load, int error)
{
    if (error == ENOENT)
        return;
    if (error != EACCES || geteuid() == 0)
        env_problem(load, "it", "cannot be read");
    else if (load->warnings != NULL)
        buf_addf(load->warnings, "%s: you may not read it: its settings are ignored\n", load->file);
}

/* False: nothing of the file is used. leased does not start with keys that others can read. */
static bool may_be_used(struct loading *load, int fd)
{
    struct stat st;
    const char *problem = fstat(fd, &st) != 0 ? strerror(errno) : keyfile_trust_problem(&st);
    if (problem != NULL) {
        env_problem(load, "it", problem);
        return false;
    }
    problem = keyfile_secrecy_problem(&st);
    if (problem == NULL)
        return true;
    if (load->is_daemon)
        loading_problem(load, ": it %s: %s", problem, keyfile_mend);
    else if (load->warnings != NULL)
        buf_addf(load->warnings, "%s: it %s: %s\n", load->file, problem, keyfile_mend);
    return !load->is_daemon;
}

void env_file_load(struct loading *load, const char *conf_file)
{
    char path[CONF_ENV_PATH_BYTES];
    char line[4096];
    struct env_ctx ctx = {.load = load};

    keyfile_env_path(conf_file, path);
    load->file = path;
    /* O_NONBLOCK: opening a FIFO must not wait for a writer. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (fd < 0) {
        report_missing(load, errno);
        goto out;
    }
    if (f == NULL) {
        (void)close(fd);
        env_problem(load, "it", "does not fit in memory");
        goto out;
    }
    if (!may_be_used(load, fileno(f)))
        goto out;
    for (unsigned line_no = 1; fgets(line, sizeof(line), f) != NULL; line_no++) {
        if (strlen(line) == sizeof(line) - 1) { /* its rest would be read as a line of its own */
            env_problem(load, "it", "holds a line longer than 4094 bytes");
            goto out;
        }
        read_line(&ctx, line, line_no);
    }
    env_replace_listen(&ctx);
out:
    explicit_bzero(line, sizeof(line));
    if (f != NULL)
        (void)fclose(f);
    load->file = conf_file;
}
