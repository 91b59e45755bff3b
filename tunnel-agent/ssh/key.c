/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/ssh/key.h"

#include "lib/base/buf.h"
#include "lib/base/log.h"
#include "lib/lease/name.h"
#include "lib/lease/pubkey.h"
#include "tunnel-agent/host/exit_code.h"
#include "tunnel-agent/host/process.h"
#include "tunnel-agent/host/statedir.h"

#include <bsd/stdlib.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEYGEN_MS = 20000 };

static int run_keygen(const char *const argv[], struct buf *said, char why[static KEY_WHY_BYTES])
{
    int rc = process_run(argv, KEYGEN_MS, said);
    if (rc == 0 && !said->failed)
        return 0;
    const char *text = said->data != NULL ? said->data : "";
    if (rc == PROCESS_NOT_STARTED)
        text = "ssh-keygen cannot be started: install the OpenSSH client";
    (void)snprintf(why, KEY_WHY_BYTES, "cannot use the key '%.200s': %.*s", argv[5],
                   (int)strcspn(text, "\r\n"), text);
    return -1;
}

/* ssh-keygen writes a name of its own first, so that a key is there whole or not at all. */
static int make_key(const char *path, const char *comment, char why[static KEY_WHY_BYTES])
{
    struct buf said = {0};
    char *temp = NULL, *temp_pub = NULL;
    int rc = -1;
    if (asprintf(&temp, "%s.new", path) < 0 || asprintf(&temp_pub, "%s.pub", temp) < 0) {
        (void)snprintf(why, KEY_WHY_BYTES, "out of memory");
        goto out;
    }
    (void)unlink(temp);
    const char *const argv[] = {"ssh-keygen", "-q", "-t", "ed25519", "-f", temp,
                                "-N",         "",   "-C", comment,   NULL};
    if (run_keygen(argv, &said, why) != 0)
        goto out;
    (void)unlink(temp_pub);
    if (rename(temp, path) != 0) {
        (void)snprintf(why, KEY_WHY_BYTES, "cannot write the key '%.400s': %s", path,
                       strerror(errno));
        goto out;
    }
    rc = 0;
out:
    buf_release(&said);
    free(temp);
    free(temp_pub);
    return rc;
}

char *key_public(const struct statedir *state, char why[static KEY_WHY_BYTES])
{
    struct buf said = {0};
    struct pubkey key;
    char *path = statedir_file(state, "agent.pem"), *line = NULL, *id = NULL;

    if (path == NULL || (id = key_agent_id(state, NULL, why)) == NULL)
        goto out;
    if (access(path, F_OK) != 0 && make_key(path, id, why) != 0)
        goto out;
    const char *const argv[] = {"ssh-keygen", "-y", "-P", "", "-f", path, NULL};
    if (run_keygen(argv, &said, why) != 0)
        goto out;
    const char *problem = pubkey_parse_file(said.data, said.len, &key);
    if (problem != NULL) {
        (void)snprintf(why, KEY_WHY_BYTES, "the key '%.200s' is of no use: %.200s", path, problem);
        goto out;
    }
    if (asprintf(&line, "%s %s %s", key.type, key.base64, id) < 0)
        line = NULL;
out:
    buf_release(&said);
    free(path);
    free(id);
    return line;
}

/* RFC 9562 section 5.4. */
static void random_uuid(char out[static 37])
{
    uint8_t b[16];
    arc4random_buf(b, sizeof(b));
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    (void)snprintf(out, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                   b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
                   b[13], b[14], b[15]);
}

char *key_agent_id(const struct statedir *state, const char *wanted, char why[static KEY_WHY_BYTES])
{
    char made[37], *kept = statedir_read(state, "agent_id");
    const char *problem = kept != NULL ? lease_name_problem(kept) : NULL;
    if (problem != NULL) {
        (void)snprintf(why, KEY_WHY_BYTES, "'%.400s/agent_id' holds no name: the name %s",
                       state->path, problem);
        free(kept);
        return NULL;
    }
    if (kept != NULL && (wanted == NULL || strcmp(kept, wanted) == 0))
        return kept;
    free(kept);
    random_uuid(made);
    if (statedir_write(state, "agent_id", wanted != NULL ? wanted : made) != 0) {
        (void)snprintf(why, KEY_WHY_BYTES, "cannot write '%.400s/agent_id': %s", state->path,
                       strerror(errno));
        return NULL;
    }
    return strdup(wanted != NULL ? wanted : made);
}

int key_show(int argc, char **argv)
{
    struct statedir state;
    char why[KEY_WHY_BYTES];
    (void)argv;
    if (argc != 1) {
        log_error("key takes no arguments: see 'tunnel-agent --help'");
        return EXIT_USAGE;
    }
    if (statedir_open(&state, why) != 0) {
        log_error("%s", why);
        return EXIT_USAGE;
    }
    char *line = key_public(&state, why);
    if (line == NULL) {
        log_error("%s", why);
        return EXIT_FAILED;
    }
    (void)puts(line);
    if (isatty(STDOUT_FILENO) == 1)
        (void)fprintf(stderr,
                      "on the gateway: leasectl agent add %s --key -   (and paste this "
                      "line)\n",
                      strrchr(line, ' ') + 1);
    free(line);
    return EXIT_DONE;
}
