/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/ssh/hostkey.h"

#include "lib/base/buf.h"
#include "tunnel-agent/config/settings.h"
#include "tunnel-agent/host/process.h"
#include "tunnel-agent/ssh/args.h"

#include <bsd/string.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ASK_MS = 15000, LOCAL_MS = 5000 };

static void read_file(const char *path, struct buf *out)
{
    char chunk[4096];
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return;
    for (size_t n; out->len < 65536 && (n = fread(chunk, 1, sizeof(chunk), f)) > 0;)
        buf_add_mem(out, chunk, n);
    (void)fclose(f);
}

/* The last line of what ssh said, without its line end. */
static void last_line(struct buf *said, char why[static 256])
{
    char *text = said->data;
    why[0] = '\0';
    for (char *line; text != NULL && (line = strsep(&text, "\r\n")) != NULL;)
        if (*line != '\0')
            (void)strlcpy(why, line, 256);
}

/* One attempt with these types; true when the host has shown a key, which is then in line. */
static bool ask_once(const struct leg *leg, const struct settings *s, const char *types,
                     const char *scratch, struct buf *line, char why[static 256])
{
    struct sshargs args;
    struct buf said = {0};
    const struct sshargs_plan plan = {.use = SSHARGS_HOST_KEY,
                                      .settings = s,
                                      .known_hosts = scratch,
                                      .host_key_algorithms = types};
    (void)unlink(scratch);
    buf_clear(line);
    sshargs_build(&args, leg, &plan);
    int rc = process_run(sshargs_argv(&args), ASK_MS, &said);
    sshargs_release(&args);
    read_file(scratch, line);
    (void)unlink(scratch);
    last_line(&said, why);
    if (rc == PROCESS_OUT_OF_TIME)
        (void)strlcpy(why, "no answer within 15 s", 256);
    else if (rc == PROCESS_NOT_STARTED)
        (void)strlcpy(why, "ssh cannot be started", 256);
    buf_release(&said);
    return line->len > 0 && !line->failed;
}

/* line: HOST TYPE BASE64. */
static bool read_key(const struct buf *line, struct hostkey *ret)
{
    char text[PUBKEY_BASE64_BYTES + 512], *cursor = text, *host, *type, *base64;
    struct pubkey key;
    if (strlcpy(text, line->data, sizeof(text)) >= sizeof(text))
        return false;
    text[strcspn(text, "\r\n")] = '\0';
    host = strsep(&cursor, " ");
    type = strsep(&cursor, " ");
    base64 = strsep(&cursor, " ");
    if (host == NULL || type == NULL || base64 == NULL || pubkey_parse(type, base64, &key) != NULL)
        return false;
    (void)strlcpy(ret->fingerprint, key.fingerprint, sizeof(ret->fingerprint));
    (void)strlcpy(ret->type, key.type, sizeof(ret->type));
    return true;
}

const char *hostkey_ask(const struct leg *leg, const struct settings *s, const char *wanted,
                        const char *scratch, struct hostkey *ret, struct buf *ret_line,
                        char why[static 256])
{
    static const char *const types[] = {NULL, "ssh-ed25519", "ecdsa-sha2-nistp256",
                                        "rsa-sha2-512,rsa-sha2-256"};
    struct hostkey first = {.fingerprint = ""};
    char words[256];
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (!ask_once(leg, s, types[i], scratch, ret_line, words) || !read_key(ret_line, ret)) {
            if (i == 0) { /* a host without a key of one type is no failure, one without any is */
                (void)snprintf(why, 256, "cannot learn the host key: %.200s", words);
                return why;
            }
            continue;
        }
        if (wanted == NULL || strcmp(ret->fingerprint, wanted) == 0)
            return NULL;
        if (i == 0)
            first = *ret;
    }
    (void)snprintf(why, 256, "wrong host key: expected %s, the host shows %s (%s)", wanted,
                   first.fingerprint, first.type);
    return why;
}

int hostkey_resolve(const struct leg *leg, const struct settings *s, struct buf *out)
{
    struct sshargs args;
    const struct sshargs_plan plan = {.use = SSHARGS_RESOLVE, .settings = s};
    sshargs_build(&args, leg, &plan);
    int rc = process_run(sshargs_argv(&args), LOCAL_MS, out);
    sshargs_release(&args);
    return rc == 0 && !out->failed ? 0 : -1;
}

char *hostkey_resolved(char **cursor, const char *keyword)
{
    size_t len = strlen(keyword);
    for (char *line; *cursor != NULL && (line = strsep(cursor, "\n")) != NULL;)
        if (strncmp(line, keyword, len) == 0 && line[len] == ' ')
            return line + len + 1;
    return NULL;
}

/* Is it in the agent? Judged by the public half beside it. */
static bool agent_has(const char *identity)
{
    struct buf keys = {0}, pub = {0};
    char path[1100];
    bool has = false;
    const char *const argv[] = {"ssh-add", "-L", NULL};
    (void)snprintf(path, sizeof(path), "%.1080s.pub", identity);
    read_file(path, &pub);
    if (process_run(argv, LOCAL_MS, &keys) == 0 && keys.data != NULL && pub.data != NULL) {
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
    struct buf said = {0};
    const char *const argv[] = {"ssh-keygen", "-y", "-P", "", "-f", identity, NULL};
    bool locked = access(identity, R_OK) == 0 && process_run(argv, LOCAL_MS, &said) != 0 &&
                  said.data != NULL && strstr(said.data, "incorrect passphrase") != NULL;
    buf_release(&said);
    return locked && !agent_has(identity);
}

char *hostkey_locked_identity(const struct leg *leg, const struct settings *s)
{
    struct buf resolved = {0};
    char path[1024], *found = NULL;
    const char *home = getenv("HOME");
    if (hostkey_resolve(leg, s, &resolved) == 0) {
        char *cursor = resolved.data;
        for (char *file; found == NULL && (file = hostkey_resolved(&cursor, "identityfile"));) {
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
