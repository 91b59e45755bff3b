/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/tunnel/key_query.h"

#include "lib/base/buf.h"
#include "tunnel-agent/config/leg.h"
#include "tunnel-agent/host/job.h"
#include "tunnel-agent/ssh/advice.h"
#include "tunnel-agent/ssh/hostkey.h"
#include "tunnel-agent/ssh/hostkey_advice.h"
#include "tunnel-agent/ssh/login_advice.h"
#include "tunnel-agent/ssh/run.h"

#include <stdio.h>
#include <string.h>

enum { SCRATCH_BYTES = 128 };

/* The child's answer is a line for known_hosts; or '?' or '!' and a sentence. */
static int learn_host_key(void *ctx)
{
    const struct key_query *q = ctx;
    struct hostkey key;
    struct buf line = {0};
    char why[HOSTKEY_WHY_BYTES], scratch[SCRATCH_BYTES];
    const char *wanted = q->leg->host_key[0] != '\0' ? q->leg->host_key : NULL;
    (void)snprintf(scratch, sizeof(scratch), "%s.ask", q->pin_path);
    if (hostkey_fetch(q->leg, q->settings, wanted, scratch, &key, &line, why) != NULL)
        (void)printf("!%s", why);
    else if (wanted == NULL)
        (void)printf("?the host key of %s is not known: %s (%s). If its admin confirms that one, "
                     "run with --host-key %s",
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
    struct buf reason = {0};
    q->job = NULL;
    if (text[0] == '?') {
        buf_add(&reason, text + 1);
    } else {
        sshadvice_add_words(&reason, q->run->cause_text);
        buf_addf(&reason, " Log in to %s once with ssh, and compare the fingerprint that it shows",
                 q->run->jump_ended ? "the jump host" : q->leg->to);
    }
    q->answered(q->ctx, KEY_HOST_IS_UNKNOWN, reason.failed ? q->run->cause_text : reason.data);
    buf_release(&reason);
}

static int print_sentence(struct buf *sentence)
{
    (void)fputs(buf_text(sentence) != NULL ? sentence->data : "", stdout);
    (void)fflush(stdout);
    buf_release(sentence);
    return 0;
}

static int explain_login(void *ctx)
{
    const struct key_query *q = ctx;
    struct buf sentence = {0};
    sshlogin_add_advice(&sentence, q->run, q->leg, q->settings);
    return print_sentence(&sentence);
}

static int explain_changed(void *ctx)
{
    const struct key_query *q = ctx;
    struct buf sentence = {0};
    sshhostkey_add_changed(&sentence, q->run, q->leg, q->settings);
    return print_sentence(&sentence);
}

/* ssh's own words, if the child could not make a sentence. */
static void answer(struct key_query *q, enum key_answer what, const char *text)
{
    q->job = NULL;
    q->answered(q->ctx, what, text[0] != '\0' ? text : q->run->cause_text);
}

static void on_login_explained(void *ctx, const char *text)
{
    answer(ctx, KEY_IS_REFUSED, text);
}

static void on_changed_explained(void *ctx, const char *text)
{
    answer(ctx, KEY_HOST_IS_ANOTHER, text);
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

bool key_query_changed_host(struct key_query *q)
{
    q->job = job_start(q->base, explain_changed, q, on_changed_explained, q);
    return q->job != NULL;
}

bool key_query_login(struct key_query *q)
{
    q->job = job_start(q->base, explain_login, q, on_login_explained, q);
    return q->job != NULL;
}

void key_query_cancel(struct key_query *q)
{
    job_cancel(q->job);
    q->job = NULL;
}
