/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/gateway/register_job.h"

#include "lib/base/buf.h"
#include "lib/wire/register.h"
#include "tunnel-agent/config/options.h"
#include "tunnel-agent/gateway/arguments.h"
#include "tunnel-agent/gateway/credential.h"
#include "tunnel-agent/gateway/identity.h"
#include "tunnel-agent/gateway/overssh.h"
#include "tunnel-agent/gateway/post.h"
#include "tunnel-agent/gateway/registration.h"
#include "tunnel-agent/gateway/target_keys.h"
#include "tunnel-agent/host/job.h"

#include <bsd/stdlib.h>
#include <stdio.h>
#include <string.h>

enum { REGISTER_MS = 15000 };

int register_facts_format(const struct register_facts *f, struct buf *out)
{
    const struct register_request r = {.agent_id = f->identity->agent_id,
                                       .public_key = f->identity->public_key,
                                       .hostname = f->identity->hostname,
                                       .user = f->identity->user,
                                       .target = f->arguments->target,
                                       .reverse_bind_host = f->arguments->o->reverse_bind_host,
                                       .host_keys = buf_text(&f->target_keys->lines),
                                       .port_b = f->registration->answer.port_b,
                                       .counter = f->counter};
    return register_request_format(&r, out);
}

/* In the child: prints the status on a line of its own, then the body. */
static int run_register(void *ctx)
{
    const struct register_job *j = ctx;
    const struct arguments *a = j->facts.arguments;
    const char *credential = credential_current(j->credential);
    struct buf body = {0}, answer = {0};
    unsigned status = 0;
    if (register_facts_format(&j->facts, &body) != 0)
        buf_add(&answer, "out of memory");
    else if (a->over_ssh)
        status = overssh_post(a->o->over_ssh, a->o->ssh_config, &a->url, credential, body.data,
                              REGISTER_MS, &answer);
    else
        status = post_request(&a->url, credential, body.data, REGISTER_MS, &answer);
    (void)printf("%u\n", status);
    (void)fwrite(answer.data, 1, answer.data != NULL ? answer.len : 0, stdout);
    (void)fflush(stdout);
    return 0;
}

static void on_end(void *ctx, const char *text)
{
    struct register_job *j = ctx;
    const char *problem, *line_end = strchr(text, '\n');
    char number[8] = "0";
    j->job = NULL;
    if (line_end == NULL)
        line_end = text;
    else
        (void)snprintf(number, sizeof(number), "%.*s", (int)(line_end - text), text);
    const char *body = *line_end == '\n' ? line_end + 1 : "the helper process failed";
    j->answered(j->ctx, (unsigned)strtonum(number, 0, 999, &problem), body, strlen(body));
}

int register_job_start(struct register_job *j, struct event_base *base)
{
    j->job = job_start(base, run_register, j, on_end, j);
    return j->job != NULL ? 0 : -1;
}

void register_job_cancel(struct register_job *j)
{
    job_cancel(j->job);
    j->job = NULL;
}
