/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/ssh/cipher.h"

#include "lib/base/buf.h"
#include "tunnel-agent/host/process.h"

#include <stddef.h>
#include <string.h>

enum { QUERY_MS = 2000 };

/* names: one a line. */
static bool is_listed(const char *names, const char *name, size_t len)
{
    for (const char *line = names; *line != '\0';) {
        size_t line_len = strcspn(line, "\n");
        if (line_len == len && strncmp(line, name, len) == 0)
            return true;
        line += line_len + (line[line_len] == '\n');
    }
    return false;
}

bool sshcipher_is(const char *text)
{
    struct buf names = {0};
    const char *const argv[] = {"ssh", "-Q", "cipher", NULL};
    bool is = process_run(argv, QUERY_MS, &names) == 0 && buf_text(&names) != NULL;
    for (const char *name = text; is; name++) {
        size_t len = strcspn(name, ",");
        is = len > 0 && is_listed(names.data, name, len);
        name += len;
        if (*name == '\0')
            break;
    }
    buf_release(&names);
    return is;
}
