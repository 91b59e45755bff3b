/* SPDX-License-Identifier: ISC */
#include "lib/lease/agent_fact.h"

#include <stdio.h>
#include <string.h>

bool agent_fact_next(const char **rest, const char *name, char *out, size_t out_bytes)
{
    const size_t name_len = strlen(name);
    out[0] = '\0';
    while (**rest != '\0') {
        const char *line = *rest;
        const size_t len = strcspn(line, "\n");
        *rest = line + len + (line[len] == '\n' ? 1 : 0);
        if (strncmp(line, name, name_len) == 0 && line[name_len] == ' ') {
            (void)snprintf(out, out_bytes, "%.*s", (int)(len - name_len - 1), line + name_len + 1);
            return true;
        }
    }
    return false;
}
