/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/ssh/identity.h"

#include "lib/base/buf.h"
#include "tunnel-agent/host/process.h"
#include "tunnel-agent/host/textfile.h"
#include "tunnel-agent/ssh/resolve.h"

#include <bsd/string.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEY_TOOL_MS = 5000 };

/* True if the ssh agent has the key, as far as the .pub file next to it tells. */
static bool agent_has(const char *identity)
{
    struct buf keys = {0}, pub = {0};
    char path[1100];
    bool has = false;
    const char *const argv[] = {"ssh-add", "-L", NULL};
    (void)snprintf(path, sizeof(path), "%.1080s.pub", identity);
    textfile_read(path, &pub);
    if (process_run(argv, KEY_TOOL_MS, &keys) == 0 && keys.data != NULL && pub.data != NULL) {
        char *cursor = pub.data;
        (void)strsep(&cursor, " ");
        char *base64 = cursor != NULL ? strsep(&cursor, " \n") : NULL;
        has = base64 != NULL && *base64 != '\0' && strstr(keys.data, base64) != NULL;
    }
    buf_release(&keys);
    buf_release(&pub);
    return has;
}

static bool is_locked(const char *identity)
{
    struct buf output = {0};
    const char *const argv[] = {"ssh-keygen", "-y", "-P", "", "-f", identity, NULL};
    bool locked = access(identity, R_OK) == 0 && process_run(argv, KEY_TOOL_MS, &output) != 0 &&
                  output.data != NULL && strstr(output.data, "incorrect passphrase") != NULL;
    buf_release(&output);
    return locked && !agent_has(identity);
}

char *sshidentity_locked(const struct leg *leg, const struct settings *s)
{
    struct buf resolved = {0};
    char path[1024], *found = NULL;
    const char *home = getenv("HOME");
    if (sshresolve(leg, s, &resolved) == 0) {
        char *cursor = resolved.data;
        for (char *file; found == NULL && (file = sshresolve_value(&cursor, "identityfile"));) {
            if (file[0] == '~' && file[1] == '/')
                (void)snprintf(path, sizeof(path), "%s%s", home != NULL ? home : "", file + 1);
            else
                (void)strlcpy(path, file, sizeof(path));
            if (is_locked(path))
                found = strdup(path);
        }
    }
    buf_release(&resolved);
    return found;
}
