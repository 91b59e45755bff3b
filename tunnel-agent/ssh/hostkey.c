/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/ssh/hostkey.h"

#include "lib/base/buf.h"
#include "tunnel-agent/host/process.h"
#include "tunnel-agent/host/textfile.h"
#include "tunnel-agent/ssh/args.h"

#include <bsd/string.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FETCH_MS = 15000 };

static const char not_learned[] = "cannot learn the host key: ";

/* Tries once, with these types of key. True if the host showed one; line then has it. */
static bool fetch_once(const struct leg *leg, const struct settings *s, const char *types,
                       const char *scratch, struct buf *line, char why[static 256])
{
    struct sshargs args;
    struct buf output = {0};
    const struct sshargs_plan plan = {.use = SSHARGS_HOST_KEY,
                                      .settings = s,
                                      .known_hosts = scratch,
                                      .host_key_algorithms = types};
    (void)unlink(scratch);
    buf_clear(line);
    sshargs_build(&args, leg, &plan);
    int rc = process_run(sshargs_argv(&args), FETCH_MS, &output);
    sshargs_release(&args);
    textfile_read(scratch, line);
    (void)unlink(scratch);
    (void)strlcpy(why, output.data != NULL ? sshmessage_last_line(output.data) : "", 256);
    if (rc == PROCESS_OUT_OF_TIME)
        (void)strlcpy(why, "no answer within 15 s", 256);
    else if (rc == PROCESS_NOT_STARTED)
        (void)strlcpy(why, "ssh cannot be started", 256);
    buf_release(&output);
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

const char *hostkey_fetch(const struct leg *leg, const struct settings *s, const char *wanted,
                          const char *scratch, struct hostkey *ret, struct buf *ret_line,
                          char why[static HOSTKEY_WHY_BYTES])
{
    static const char *const types[] = {NULL, "ssh-ed25519", "ecdsa-sha2-nistp256",
                                        "rsa-sha2-512,rsa-sha2-256"};
    struct hostkey first = {.fingerprint = ""};
    char failure[256];
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (!fetch_once(leg, s, types[i], scratch, ret_line, failure) || !read_key(ret_line, ret)) {
            if (i == 0) { /* the first attempt allows every type, the others one each */
                (void)snprintf(why, HOSTKEY_WHY_BYTES, "%s%s", not_learned, failure);
                return why;
            }
            continue;
        }
        if (wanted == NULL || strcmp(ret->fingerprint, wanted) == 0)
            return NULL;
        if (i == 0)
            first = *ret;
    }
    (void)snprintf(why, HOSTKEY_WHY_BYTES,
                   "wrong host key: expected %s, the host shows %s (%s). If its admin confirms the "
                   "new one, run with --host-key %s; if not, somebody is in between",
                   wanted, first.fingerprint, first.type, first.fingerprint);
    return why;
}

enum ssh_message hostkey_failure(const char *why)
{
    size_t len = sizeof(not_learned) - 1;
    return sshmessage_parse(strncmp(why, not_learned, len) == 0 ? why + len : why);
}
