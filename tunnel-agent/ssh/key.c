/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/ssh/key.h"

#include "lib/base/buf.h"
#include "lib/base/durable.h"
#include "lib/lease/pubkey.h"
#include "tunnel-agent/host/process.h"
#include "tunnel-agent/host/statedir.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEYGEN_MS = 20000 };

static int run_keygen(const char *const argv[], struct buf *output, char why[static WHY_BYTES])
{
    int rc = process_run(argv, KEYGEN_MS, output);
    if (rc == 0 && !output->failed)
        return 0;
    const char *text = output->data != NULL ? output->data : "";
    if (rc == PROCESS_NOT_STARTED)
        text = "ssh-keygen cannot be started: install the OpenSSH client";
    (void)snprintf(why, WHY_BYTES, "cannot use the key '%.200s': %.*s", argv[5],
                   (int)strcspn(text, "\r\n"), text);
    return -1;
}

/* ssh-keygen writes a temporary file, so that agent.pem is there whole or not at all. */
static int make_key(const char *path, const char *comment, char why[static WHY_BYTES])
{
    struct buf output = {0};
    char *temp = NULL, *temp_pub = NULL;
    int rc = -1;
    if (asprintf(&temp, "%s.new", path) < 0 || asprintf(&temp_pub, "%s.pub", temp) < 0) {
        (void)snprintf(why, WHY_BYTES, "out of memory");
        goto out;
    }
    (void)unlink(temp);
    const char *const argv[] = {"ssh-keygen", "-q", "-t", "ed25519", "-f", temp,
                                "-N",         "",   "-C", comment,   NULL};
    if (run_keygen(argv, &output, why) != 0)
        goto out;
    (void)unlink(temp_pub);
    /* The gateway admits this key from the first register on, so it must survive a power cut. */
    if (durable_bytes(temp) != 0 || rename(temp, path) != 0 || durable_name(path) != 0) {
        (void)snprintf(why, WHY_BYTES, "cannot write the key '%.400s': %s", path, strerror(errno));
        goto out;
    }
    rc = 0;
out:
    buf_release(&output);
    free(temp);
    free(temp_pub);
    return rc;
}

char *key_public(const struct statedir *state, const char *id, char why[static WHY_BYTES])
{
    return key_public_in(state, "agent.pem", id, why);
}

char *key_public_in(const struct statedir *state, const char *file, const char *id,
                    char why[static WHY_BYTES])
{
    struct buf output = {0};
    struct pubkey key;
    char *path = statedir_file(state, file), *line = NULL;

    if (path == NULL)
        goto out;
    if (access(path, F_OK) != 0 && make_key(path, id, why) != 0)
        goto out;
    const char *const argv[] = {"ssh-keygen", "-y", "-P", "", "-f", path, NULL};
    if (run_keygen(argv, &output, why) != 0)
        goto out;
    const char *problem = pubkey_parse_file(output.data, output.len, &key);
    if (problem != NULL) {
        (void)snprintf(why, WHY_BYTES, "the key '%.200s' is of no use: %.200s", path, problem);
        goto out;
    }
    if (asprintf(&line, "%s %s %s", key.type, key.base64, id) < 0)
        line = NULL;
out:
    buf_release(&output);
    free(path);
    return line;
}
