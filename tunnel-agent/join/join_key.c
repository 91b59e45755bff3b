/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/join/join_key.h"

#include "lib/base/buf.h"
#include "lib/base/durable.h"
#include "lib/base/hex.h"
#include "lib/base/secret.h"
#include "lib/lease/pubkey.h"
#include "tunnel-agent/gateway/agent_id.h"
#include "tunnel-agent/host/process.h"
#include "tunnel-agent/host/textfile.h"
#include "tunnel-agent/ssh/key.h"

#include <bsd/string.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEYGEN_MS = 20000, HASH_TEXT_BYTES = 2 * SECRET_HASH_BYTES + 1, NAME_LETTERS = 12 };

static const char agents_file[] = "agent.pem", next_file[] = "next.pem", joined_file[] = "joined";

/* The fingerprint of a key of the state directory, which is made if it is missing. */
static int own_fingerprint(const struct statedir *state, const char *file, const char *id,
                           char out[static FINGERPRINT_BYTES], char why[static WHY_BYTES])
{
    struct pubkey key;
    char *line = key_public_in(state, file, id, why);
    int rc = -1;
    if (line != NULL && pubkey_parse_file(line, strlen(line), &key) == NULL) {
        (void)strlcpy(out, key.fingerprint, FINGERPRINT_BYTES);
        rc = 0;
    }
    free(line);
    return rc;
}

static void hash_code(const char *code, char out[static HASH_TEXT_BYTES])
{
    uint8_t hash[SECRET_HASH_BYTES];
    secret_hash(code, hash);
    hex_encode(hash, sizeof(hash), out);
}

static int remember(const struct statedir *state, const char *code, const char *file)
{
    char hash[HASH_TEXT_BYTES], *text = NULL;
    hash_code(code, hash);
    int rc =
        asprintf(&text, "%s %s", hash, file) > 0 ? statedir_write(state, joined_file, text) : -1;
    free(text);
    return rc;
}

/* The file of the key that this code was redeemed with, for the caller to free. NULL: it was not.
 */
static char *file_of_code(const struct statedir *state, const char *code)
{
    char hash[HASH_TEXT_BYTES], *kept = statedir_read(state, joined_file), *found = NULL;
    const size_t len = HASH_TEXT_BYTES - 1;
    hash_code(code, hash);
    if (kept != NULL && strncmp(kept, hash, len) == 0 && kept[len] == ' ' &&
        strchr(kept + len + 1, '/') == NULL) {
        const char *file = kept + len + 1;
        /* Killed after it was renamed. */
        if (strcmp(file, next_file) == 0 && !statedir_has(state, next_file))
            file = agents_file;
        found = statedir_has(state, file) ? strdup(file) : NULL;
    }
    free(kept);
    return found;
}

static int find_own(struct join_key *ret, const struct statedir *state, const char *code,
                    char why[static WHY_BYTES])
{
    char *id = agent_id_get(state, NULL, why), *kept = file_of_code(state, code);
    ret->is_own = true;
    ret->is_next =
        kept != NULL ? strcmp(kept, next_file) == 0 : statedir_has(state, "agent_secret");
    const char *file = ret->is_next ? next_file : kept != NULL ? kept : agents_file;
    int rc = id != NULL ? own_fingerprint(state, file, id, ret->fingerprint, why) : -1;
    ret->path = statedir_file(state, file);
    free(id);
    free(kept);
    return ret->path != NULL ? rc : -1;
}

/* `BITS SHA256:... COMMENT (TYPE)`, as ssh-keygen prints it; it needs no passphrase for that. */
static int find_given(struct join_key *ret, const char *identity, char why[static WHY_BYTES])
{
    struct buf output = {0};
    int rc = -1;
    ret->path = realpath(identity, NULL);
    if (ret->path == NULL) {
        (void)snprintf(why, WHY_BYTES,
                       errno == ENOENT ? "there is no key '%.200s': 'ssh-keygen -t ed25519 -f "
                                         "%.200s' makes one, and without -i this program does"
                                       : "cannot read the key '%.200s'",
                       identity, identity);
        return -1;
    }
    const char *const argv[] = {"ssh-keygen", "-l", "-E", "sha256", "-f", ret->path, NULL};
    int code = process_run(argv, KEYGEN_MS, &output);
    const char *text = buf_text_or(&output, ""), *start = strstr(text, "SHA256:");
    if (code == 0 && start != NULL && strcspn(start, " \n") < FINGERPRINT_BYTES) {
        (void)snprintf(ret->fingerprint, sizeof(ret->fingerprint), "%.*s",
                       (int)strcspn(start, " \n"), start);
        rc = 0;
    } else {
        (void)snprintf(why, WHY_BYTES, "cannot use the key '%.200s': %.*s", identity,
                       (int)strcspn(text, "\r\n"), text);
    }
    buf_release(&output);
    return rc;
}

int join_key_find(struct join_key *ret, const struct statedir *state, const char *identity,
                  const char *code, char why[static WHY_BYTES])
{
    *ret = (struct join_key){.path = NULL};
    return identity != NULL ? find_given(ret, identity, why) : find_own(ret, state, code, why);
}

static int copy_key(const struct join_key *key, const struct statedir *state,
                    char why[static WHY_BYTES])
{
    struct buf text = {0};
    textfile_read(key->path, &text);
    int rc = text.len > 0 && !text.failed ? statedir_write(state, "agent.pem", text.data) : -1;
    if (rc != 0)
        (void)snprintf(why, WHY_BYTES, "cannot copy the key '%.200s' to '%.300s/agent.pem'",
                       key->path, state->path);
    buf_release(&text);
    return rc;
}

int join_key_adopt(const struct join_key *key, const struct statedir *state, const char *agent_id,
                   char why[static WHY_BYTES])
{
    char fingerprint[FINGERPRINT_BYTES];
    if (key->is_own)
        return 0;
    bool is_new = !statedir_has(state, "agent.pem");
    if ((is_new && copy_key(key, state, why) != 0) ||
        own_fingerprint(state, agents_file, agent_id, fingerprint, why) != 0)
        return -1;
    if (strcmp(fingerprint, key->fingerprint) == 0)
        return 0;
    (void)snprintf(why, WHY_BYTES,
                   "an agent uses the key '%.200s/agent.pem' alone, and that is not the one of -i. "
                   "Within ten minutes of the first answer, the same line with another STATE_DIR "
                   "joins with this key again",
                   state->path);
    return -1;
}

int join_key_become_agents(struct join_key *key, const struct statedir *state, const char *code,
                           char why[static WHY_BYTES])
{
    if (!key->is_next)
        return 0;
    char *path = statedir_file(state, agents_file);
    int rc = path != NULL && remember(state, code, next_file) == 0 &&
                     rename(key->path, path) == 0 && durable_name(path) == 0
                 ? 0
                 : -1;
    if (rc != 0)
        (void)snprintf(why, WHY_BYTES, "cannot rename the key '%.400s': %s", key->path,
                       strerror(errno));
    key->is_next = rc != 0;
    free(path);
    return rc;
}

/* A link, so that the key is in both places until the leg is written. */
int join_key_become_friends(struct join_key *key, const struct statedir *state,
                            char why[static WHY_BYTES])
{
    char name[NAME_LETTERS + sizeof("join-.pem")] = "join-";
    size_t n = strlen(name);
    if (!key->is_next)
        return 0;
    for (const char *p = key->fingerprint + 7; *p != '\0' && n < NAME_LETTERS + 5; p++)
        if (isalnum((unsigned char)*p))
            name[n++] = *p;
    (void)strlcpy(name + n, ".pem", sizeof(name) - n);
    char *path = statedir_file(state, name);
    if (path == NULL || (link(key->path, path) != 0 && errno != EEXIST) ||
        durable_name(path) != 0) {
        (void)snprintf(why, WHY_BYTES, "cannot link the key '%.400s': %s", key->path,
                       strerror(errno));
        free(path);
        return -1;
    }
    free(key->path);
    key->path = path;
    return 0;
}

void join_key_settle(struct join_key *key, const struct statedir *state, const char *code)
{
    char *next = statedir_file(state, next_file);
    const char *slash = strrchr(key->path, '/');
    if (key->is_own && slash != NULL)
        (void)remember(state, code, slash + 1); /* else the code is refused, as a spent one */
    /* If it came back, the next code would be refused: its key holds a lease. */
    if (key->is_next && next != NULL && unlink(next) == 0)
        (void)durable_name(next);
    key->is_next = false;
    free(next);
}

void join_key_release(struct join_key *key)
{
    free(key->path);
}
