/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/ssh/identity.h"

#include "tunnel-agent/host/process.h"
#include "tunnel-agent/host/textfile.h"
#include "tunnel-agent/ssh/resolve.h"

#include <bsd/string.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PATH_BYTES = 1024,
    KEY_TOOL_MS = 5000,
    SSH_ADD_NO_KEYS = 1, /* its exit status where an agent is there and holds none */
};

/* True if the ssh agent has the key, as far as the .pub file next to it tells. keys: all that it
 * has, as ssh-add -L prints them. */
static bool agent_has(const char *keys, const char *identity)
{
    struct buf pub = {0};
    char path[1100];
    bool has = false;
    (void)snprintf(path, sizeof(path), "%.1080s.pub", identity);
    textfile_read(path, &pub);
    if (pub.data != NULL) {
        char *cursor = pub.data;
        (void)strsep(&cursor, " ");
        char *base64 = cursor != NULL ? strsep(&cursor, " \n") : NULL;
        has = base64 != NULL && *base64 != '\0' && strstr(keys, base64) != NULL;
    }
    buf_release(&pub);
    return has;
}

static bool is_locked(const char *keys, const char *identity)
{
    struct buf output = {0};
    const char *const argv[] = {"ssh-keygen", "-y", "-P", "", "-f", identity, NULL};
    bool locked = access(identity, R_OK) == 0 && process_run(argv, KEY_TOOL_MS, &output) != 0 &&
                  output.data != NULL && strstr(output.data, "incorrect passphrase") != NULL;
    buf_release(&output);
    return locked && !agent_has(keys, identity);
}

static void read_agent(struct sshidentities *ret, struct buf *keys)
{
    const char *const argv[] = {"ssh-add", "-L", NULL};
    int rc = process_run(argv, KEY_TOOL_MS, keys);
    ret->has_agent = rc == 0 || rc == SSH_ADD_NO_KEYS;
    if (rc != 0)
        buf_clear(keys);
    const char *text = rc == 0 ? buf_text(keys) : NULL;
    for (; text != NULL && (text = strchr(text, '\n')) != NULL; text++)
        ret->agent_key_count++;
}

/* The name that ssh opens; its configuration may begin it with a ~. */
static void expand_home(const char *file, char path[static PATH_BYTES])
{
    const char *home = getenv("HOME");
    if (file[0] == '~' && file[1] == '/')
        (void)snprintf(path, PATH_BYTES, "%s%s", home != NULL ? home : "", file + 1);
    else
        (void)strlcpy(path, file, PATH_BYTES);
}

static void add_file(struct sshidentities *ret, const char *file, const char *agent_keys)
{
    char path[PATH_BYTES];
    expand_home(file, path);
    if (access(path, F_OK) != 0)
        return;
    buf_addf(&ret->files, "%s%s", ret->files.len > 0 ? ", " : "", path);
    if (ret->first == NULL)
        ret->first = strdup(path);
    if (ret->locked == NULL && is_locked(agent_keys, path))
        ret->locked = strdup(path);
}

bool sshidentities_has(const struct leg *leg, const struct settings *s, const char *file)
{
    struct buf resolved = {0};
    char path[PATH_BYTES];
    bool has = false;
    char *cursor = sshresolve(leg, s, &resolved) == 0 ? resolved.data : NULL;
    for (const char *one;
         !has && cursor != NULL && (one = sshresolve_value(&cursor, "identityfile")) != NULL;) {
        expand_home(one, path);
        has = strcmp(path, file) == 0;
    }
    buf_release(&resolved);
    return has;
}

int sshidentities_read(struct sshidentities *ret, const struct leg *leg, const struct settings *s)
{
    struct buf resolved = {0}, keys = {0};
    *ret = (struct sshidentities){0};
    int rc = sshresolve(leg, s, &resolved);
    if (rc != 0)
        goto out;
    ret->only_these = strstr(resolved.data, "\nidentitiesonly yes\n") != NULL;
    if (strstr(resolved.data, "\nidentityagent none\n") == NULL)
        read_agent(ret, &keys);
    char *cursor = resolved.data;
    for (char *file; (file = sshresolve_value(&cursor, "identityfile")) != NULL;)
        add_file(ret, file, keys.len > 0 ? keys.data : "");
out:
    buf_release(&resolved);
    buf_release(&keys);
    return rc;
}

void sshidentities_release(struct sshidentities *i)
{
    buf_release(&i->files);
    free(i->first);
    free(i->locked);
    *i = (struct sshidentities){0};
}
