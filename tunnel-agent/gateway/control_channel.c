/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/gateway/control_channel.h"

#include "lib/base/log.h"
#include "tunnel-agent/gateway/http.h"
#include "tunnel-agent/gateway/registration.h"
#include "tunnel-agent/host/timer.h"

#include <event2/event.h>
#include <sys/un.h>

enum { ANSWER_MS = 10000 };

static void wait_for_next(struct control_channel *c)
{
    timer_set(c->timer, registration_heartbeat_interval_ms(c->registration));
}

static void on_end(void *ctx, enum exchange_end end)
{
    struct control_channel *c = ctx;
    const char *body = "";
    size_t len = 0;
    unsigned status = 0;
    (void)event_del(c->deadline);
    if (end == EXCHANGE_ANSWERED && !c->exchange.answer.failed)
        status = http_answer_parse(c->exchange.answer.data, c->exchange.answer.len, &body, &len);
    wait_for_next(c);
    if (status == 0) {
        if (!c->silence_is_logged)
            log_warn("the gateway's leased does not answer; the tunnel stays as it is");
        c->silence_is_logged = true;
        return;
    }
    c->silence_is_logged = false;
    c->answered(c->ctx, status, body, len);
}

static void on_deadline(evutil_socket_t fd, short what, void *ctx)
{
    struct control_channel *c = ctx;
    (void)fd;
    (void)what;
    exchange_cancel(&c->exchange);
    on_end(c, EXCHANGE_CLOSED);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
    struct control_channel *c = ctx;
    (void)fd;
    (void)what;
    c->due(c->ctx);
}

int control_channel_init(struct control_channel *c)
{
    c->timer = evtimer_new(c->base, on_timer, c);
    c->deadline = evtimer_new(c->base, on_deadline, c);
    return c->timer != NULL && c->deadline != NULL ? 0 : -1;
}

void control_channel_send(struct control_channel *c, const char *control_sock, const char *request)
{
    struct sockaddr_un address;
    enum exchange_end end;
    const struct exchange_plan plan = {.address = (struct sockaddr *)&address,
                                       .address_len = sizeof(address),
                                       .request = request,
                                       .answer_max = HTTP_ANSWER_MAX,
                                       .done = on_end,
                                       .ctx = c};
    if (request != NULL && exchange_unix_address(control_sock, &address) == 0 &&
        exchange_start(&c->exchange, c->base, &plan, &end) == 0)
        timer_set(c->deadline, ANSWER_MS);
    else
        wait_for_next(c);
}

void control_channel_wait(struct control_channel *c, int64_t wait_ms)
{
    timer_set(c->timer, wait_ms);
}

void control_channel_stop(struct control_channel *c)
{
    exchange_cancel(&c->exchange);
    (void)event_del(c->deadline);
    (void)event_del(c->timer);
}

void control_channel_release(struct control_channel *c)
{
    exchange_release(&c->exchange);
    if (c->timer != NULL)
        event_free(c->timer);
    if (c->deadline != NULL)
        event_free(c->deadline);
}
