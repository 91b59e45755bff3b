/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/ssh/resolve.h"

#include "lib/base/buf.h"
#include "tunnel-agent/host/process.h"
#include "tunnel-agent/ssh/args.h"

#include <bsd/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RESOLVE_MS = 5000 };

int sshresolve(const struct leg *leg, const struct settings *s, struct buf *out)
{
    struct sshargs args;
    const struct sshargs_plan plan = {.use = SSHARGS_RESOLVE, .settings = s};
    sshargs_build(&args, leg, &plan);
    int rc = process_run(sshargs_argv(&args), RESOLVE_MS, out);
    sshargs_release(&args);
    return rc == 0 && !out->failed ? 0 : -1;
}

char *sshresolve_value(char **cursor, const char *keyword)
{
    size_t len = strlen(keyword);
    for (char *line; *cursor != NULL && (line = strsep(cursor, "\n")) != NULL;)
        if (strncmp(line, keyword, len) == 0 && line[len] == ' ')
            return line + len + 1;
    return NULL;
}

char *sshresolve_copy(const char *resolved, const char *keyword)
{
    char *text = strdup(resolved), *cursor = text;
    char *value = text != NULL ? sshresolve_value(&cursor, keyword) : NULL;
    char *copy = value != NULL ? strdup(value) : NULL;
    free(text);
    return copy;
}

void sshresolve_known_name(const char *resolved, char *out, size_t size)
{
    char *host = sshresolve_copy(resolved, "hostname"), *port = sshresolve_copy(resolved, "port"),
         *alias = sshresolve_copy(resolved, "hostkeyalias");
    out[0] = '\0';
    if (alias != NULL && strcmp(alias, "none") != 0)
        (void)strlcpy(out, alias, size);
    else if (host != NULL && port != NULL && strcmp(port, "22") != 0)
        (void)snprintf(out, size, "[%.250s]:%.8s", host, port);
    else if (host != NULL)
        (void)strlcpy(out, host, size);
    free(host);
    free(port);
    free(alias);
}
