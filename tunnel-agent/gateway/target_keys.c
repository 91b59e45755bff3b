/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/gateway/target_keys.h"

#include "lib/base/text.h"
#include "lib/lease/pubkey.h"
#include "lib/wire/control.h"
#include "tunnel-agent/host/job.h"

#include <bsd/string.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_S "5"
enum { QUERIES_MAX = 3 };
enum { LINE_BYTES = 512 + PUBKEY_TYPE_BYTES + PUBKEY_BASE64_BYTES };

/*
 * In the child, which becomes ssh-keyscan. A child of ours would keep the lock of the state
 * directory for as long as the target says nothing.
 */
static int run_query(void *ctx)
{
    const struct target_keys *k = ctx;
    char target[300];
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    char *port =
        strlcpy(target, k->target, sizeof(target)) < sizeof(target) ? strrchr(target, ':') : NULL;
    if (port == NULL || null < 0 || dup2(null, STDERR_FILENO) < 0)
        return 1;
    *port++ = '\0';
    char *host = target;
    if (*host == '[') {
        host++;
        host[strcspn(host, "]")] = '\0';
    }
    (void)execlp("ssh-keyscan", "ssh-keyscan", "-T", ANSWER_S, "-p", port, "--", host,
                 (char *)NULL);
    return 1;
}

/* text is a line `HOST TYPE BASE64`, or one of ssh-keyscan's comments. */
static void add_key(struct target_keys *k, const char *text)
{
    struct pubkey key;
    const char *rest = strchr(text, ' ');
    if (text[0] != '#' && rest != NULL &&
        pubkey_parse_file(rest + 1, strlen(rest + 1), &key) == NULL)
        buf_addf(&k->lines, "%s %s\n", key.type, key.base64);
}

static void on_end(void *ctx, const char *text)
{
    struct target_keys *k = ctx;
    const char *rest = text, *line;
    int len;
    k->job = NULL;
    buf_clear(&k->lines);
    for (unsigned i = 0;
         i < CONTROL_HOST_KEYS_MAX && (line = text_next_line(&rest, &len)) != NULL;) {
        char one[LINE_BYTES];
        const size_t before = k->lines.len;
        (void)snprintf(one, sizeof(one), "%.*s", len, line);
        add_key(k, one);
        i += k->lines.len > before ? 1 : 0;
    }
    if (k->lines.len > 0 && !k->lines.failed)
        k->found(k->ctx);
}

void target_keys_query(struct target_keys *k, struct event_base *base)
{
    if (k->job != NULL || k->lines.len > 0 || k->queries == QUERIES_MAX)
        return;
    k->queries++;
    k->job = job_start(base, run_query, k, on_end, k);
}

void target_keys_release(struct target_keys *k)
{
    job_cancel(k->job);
    k->job = NULL;
    buf_release(&k->lines);
}
