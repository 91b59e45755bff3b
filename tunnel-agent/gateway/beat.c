/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/gateway/beat.h"

#include "lib/base/log.h"
#include "tunnel-agent/gateway/http.h"
#include "tunnel-agent/gateway/registration.h"
#include "tunnel-agent/host/timer.h"

#include <event2/event.h>
#include <sys/un.h>

enum { BEAT_ANSWER_MS = 10000 };

static void beat_wait(struct beat *b)
{
    timer_set(b->timer, registration_beat_interval_ms(b->registration));
}

static void on_end(void *ctx, enum exchange_end end)
{
    struct beat *b = ctx;
    const char *body = "";
    size_t len = 0;
    unsigned status = 0;
    (void)event_del(b->deadline);
    if (end == EXCHANGE_ANSWERED && !b->exchange.answer.failed)
        status = http_answer_parse(b->exchange.answer.data, b->exchange.answer.len, &body, &len);
    beat_wait(b);
    if (status == 0) {
        if (!b->silence_is_logged)
            log_warn("the gateway's leased does not answer; the tunnel stays as it is");
        b->silence_is_logged = true;
        return;
    }
    b->silence_is_logged = false;
    b->answered(b->ctx, status, body, len);
}

static void on_deadline(evutil_socket_t fd, short what, void *ctx)
{
    struct beat *b = ctx;
    (void)fd;
    (void)what;
    exchange_cancel(&b->exchange);
    on_end(b, EXCHANGE_CLOSED);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
    struct beat *b = ctx;
    (void)fd;
    (void)what;
    b->due(b->ctx);
}

int beat_init(struct beat *b)
{
    b->timer = evtimer_new(b->base, on_timer, b);
    b->deadline = evtimer_new(b->base, on_deadline, b);
    return b->timer != NULL && b->deadline != NULL ? 0 : -1;
}

void beat_ask(struct beat *b, const char *control_sock, const char *request)
{
    struct sockaddr_un address;
    enum exchange_end end;
    const struct exchange_plan plan = {.address = (struct sockaddr *)&address,
                                       .address_len = sizeof(address),
                                       .request = request,
                                       .answer_max = HTTP_ANSWER_MAX,
                                       .done = on_end,
                                       .ctx = b};
    if (request != NULL && exchange_unix_address(control_sock, &address) == 0 &&
        exchange_start(&b->exchange, b->base, &plan, &end) == 0)
        timer_set(b->deadline, BEAT_ANSWER_MS);
    else
        beat_wait(b);
}

void beat_stop(struct beat *b)
{
    exchange_cancel(&b->exchange);
    (void)event_del(b->deadline);
    (void)event_del(b->timer);
}

void beat_release(struct beat *b)
{
    exchange_release(&b->exchange);
    if (b->timer != NULL)
        event_free(b->timer);
    if (b->deadline != NULL)
        event_free(b->deadline);
}
