/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/ssh/resolve.h"

#include "lib/base/buf.h"
#include "tunnel-agent/host/process.h"
#include "tunnel-agent/ssh/args.h"

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
