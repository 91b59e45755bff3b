/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/tunnel/key_query.h"

#include "lib/base/buf.h"
#include "tunnel-agent/config/leg.h"
#include "tunnel-agent/host/job.h"
#include "tunnel-agent/ssh/hostkey.h"
#include "tunnel-agent/ssh/identity.h"

#include <stdio.h>
#include <string.h>

enum { SCRATCH_BYTES = 128 };

static int learn_host_key(void *ctx)
{
    const struct key_query *q = ctx;
    struct hostkey key;
    struct buf line = {0};
    char why[256], scratch[SCRATCH_BYTES];
    const char *wanted = q->leg->host_key[0] != '\0' ? q->leg->host_key : NULL;
    (void)snprintf(scratch, sizeof(scratch), "%s.ask", q->pin_path);
    if (hostkey_fetch(q->leg, q->settings, wanted, scratch, &key, &line, why) != NULL)
        (void)printf("!%s", why);
    else if (wanted == NULL)
        (void)printf("?the host key of %s is not known: %s (%s). If that is right, run with "
                     "--host-key %s",
                     q->leg->to, key.fingerprint, key.type, key.fingerprint);
    else
        (void)printf("%s", buf_text(&line));
    (void)fflush(stdout);
    return 0;
}

static bool write_pin(const struct key_query *q, const char *line)
{
    FILE *f = fopen(q->pin_path, "we");
    if (f == NULL)
        return false;
    bool ok = fputs(line, f) >= 0;
    return fclose(f) == 0 && ok;
}

/* text: the line for known_hosts; or "!" and why not; or "" if the job failed. */
static void on_pin(void *ctx, const char *text)
{
    struct key_query *q = ctx;
    q->job = NULL;
    if (text[0] != '!' && text[0] != '\0') {
        q->host_key_is_pinned = write_pin(q, text);
        if (q->host_key_is_pinned) {
            q->answered(q->ctx, KEY_PINNED, "");
            return;
        }
        text = "!cannot write the file of its host key";
    }
    if (strstr(text, "wrong host key") != NULL)
        q->answered(q->ctx, KEY_HOST_IS_ANOTHER, text + 1);
    else
        q->answered(q->ctx, KEY_NOT_LEARNED,
                    text[0] == '!' ? text + 1 : "cannot learn the host key");
}

static void on_unknown_key(void *ctx, const char *text)
{
    struct key_query *q = ctx;
    q->job = NULL;
    q->answered(q->ctx, KEY_HOST_IS_UNKNOWN,
                text[0] != '\0' ? text + 1 : "the host key is not known");
}

static int find_locked_key(void *ctx)
{
    const struct key_query *q = ctx;
    char *path = sshidentity_locked(q->leg, q->settings);
    if (path != NULL)
        (void)printf("the key %s is locked by a passphrase: run 'ssh-add %s'", path, path);
    (void)fflush(stdout);
    return 0;
}

static void on_locked_key(void *ctx, const char *text)
{
    struct key_query *q = ctx;
    q->job = NULL;
    q->answered(q->ctx, KEY_IS_LOCKED, text);
}

bool key_query_pin(struct key_query *q)
{
    q->job = job_start(q->base, learn_host_key, q, on_pin, q);
    return q->job != NULL;
}

bool key_query_unknown_host(struct key_query *q)
{
    q->job = job_start(q->base, learn_host_key, q, on_unknown_key, q);
    return q->job != NULL;
}

bool key_query_locked(struct key_query *q)
{
    q->job = job_start(q->base, find_locked_key, q, on_locked_key, q);
    return q->job != NULL;
}

void key_query_cancel(struct key_query *q)
{
    job_cancel(q->job);
    q->job = NULL;
}
