/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/tunnel/forward_check.h"

#include "tunnel-agent/config/leg.h"
#include "tunnel-agent/host/localport.h"
#include "tunnel-agent/ssh/run.h"
#include "tunnel-agent/tunnel/probe.h"

#include <stdio.h>
#include <strings.h>
#include <sys/un.h>

enum { ANSWER_MAX = 4096 };

/* What it says is of no interest: a refusal is a line of ssh's. */
static void on_forward(void *ctx, enum exchange_end end)
{
    (void)ctx;
    (void)end;
}

static bool start_exchange(struct forward_check *c, struct exchange *x,
                           const struct sockaddr *address, socklen_t len,
                           void (*done)(void *ctx, enum exchange_end end))
{
    enum exchange_end end;
    const struct exchange_plan plan = {.address = address,
                                       .address_len = len,
                                       .request = "",
                                       .answer_max = ANSWER_MAX,
                                       .first_byte_will_do = true,
                                       .close_our_half = true,
                                       .done = done,
                                       .ctx = c};
    return exchange_start(x, c->base, &plan, &end) == 0;
}

/* False: it is left out, or nothing can be connected to on this side. */
static bool connect_forward(struct forward_check *c, const struct forward *f)
{
    struct sockaddr_storage at;
    socklen_t len;
    const char *bind_to = strcasecmp(f->bind, "localhost") == 0 ? "127.0.0.1" : f->bind;
    return !c->left_out[c->at] && localport_address(bind_to, f->port, true, &at, &len) == 0 &&
           start_exchange(c, &c->forward, (const struct sockaddr *)&at, len, on_forward);
}

static void check_next(struct forward_check *c);

static void on_canary(void *ctx, enum exchange_end end)
{
    struct forward_check *c = ctx;
    const struct forward *f = &c->leg->forwards[c->at];
    exchange_cancel(&c->forward);
    c->under_way = false;
    if (end == EXCHANGE_NO_ONE || sshrun_is_ending(c->ssh)) /* which has read ssh's lines */
        return;
    if (c->ssh->refused_count - c->refused_before > (c->forbids_canary ? 1 : 0)) {
        probe_describe_forbidden(c->why, f, c->ssh->refused_text);
        c->done(c->ctx);
        return;
    }
    c->at++;
    check_next(c);
}

static void check_next(struct forward_check *c)
{
    struct sockaddr_un un;
    while (c->at < c->leg->forward_count && !connect_forward(c, &c->leg->forwards[c->at]))
        c->at++;
    if (c->at == c->leg->forward_count) {
        c->done(c->ctx);
        return;
    }
    c->refused_before = c->ssh->refused_count;
    (void)exchange_unix_address(c->canary_path, &un);
    c->under_way =
        start_exchange(c, &c->canary, (const struct sockaddr *)&un, sizeof(un), on_canary);
}

void forward_check_begin(struct forward_check *c)
{
    sshrun_drain(c->ssh);
    c->forbids_canary = c->ssh->refused_count > 0;
    c->why[0] = '\0';
    c->at = 0;
    check_next(c);
}

void forward_check_cancel(struct forward_check *c)
{
    exchange_cancel(&c->forward);
    exchange_cancel(&c->canary);
    c->under_way = false;
}

void forward_check_release(struct forward_check *c)
{
    exchange_release(&c->forward);
    exchange_release(&c->canary);
}
