/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/host/exchange.h"

#include <bsd/string.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/util.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

bool exchange_is_under_way(const struct exchange *x)
{
    return x->event != NULL;
}

void exchange_cancel(struct exchange *x)
{
    if (x->event == NULL)
        return;
    event_free(x->event);
    x->event = NULL;
    (void)close(x->fd);
    x->fd = -1;
}

void exchange_release(struct exchange *x)
{
    exchange_cancel(x);
    buf_release(&x->request);
    buf_release(&x->answer);
}

static void finish(struct exchange *x, enum exchange_end end)
{
    exchange_cancel(x);
    x->done(x->ctx, end);
}

static int rearm(struct exchange *x, short what)
{
    struct event_base *base = event_get_base(x->event);
    event_callback_fn fn = event_get_callback(x->event);
    (void)event_del(x->event);
    return event_assign(x->event, base, x->fd, what, fn, x) == 0 ? event_add(x->event, NULL) : -1;
}

/* Sends what is left of the request, then waits for the answer. */
static void send_rest(struct exchange *x)
{
    int error = 0;
    socklen_t len = sizeof(error);
    if (getsockopt(x->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0) {
        finish(x, EXCHANGE_NO_ONE);
        return;
    }
    while (x->sent < x->request.len) {
        ssize_t n = send(x->fd, x->request.data + x->sent, x->request.len - x->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0)
            break; /* the peer has closed; it may have answered before */
        x->sent += (size_t)n;
    }
    if (x->close_our_half)
        (void)shutdown(x->fd, SHUT_WR);
    if (rearm(x, EV_READ | EV_PERSIST) != 0)
        finish(x, EXCHANGE_CLOSED);
}

static void read_answer(struct exchange *x)
{
    char chunk[4096];
    for (;;) {
        ssize_t n = recv(x->fd, chunk, sizeof(chunk), 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) { /* a reset ends the answer as well: the peer sent it */
            finish(x, x->answer.len > 0 ? EXCHANGE_ANSWERED : EXCHANGE_CLOSED);
            return;
        }
        if (x->answer.len + (size_t)n > x->answer_max) {
            finish(x, x->first_byte_will_do ? EXCHANGE_ANSWERED : EXCHANGE_TOO_LONG);
            return;
        }
        buf_add_mem(&x->answer, chunk, (size_t)n);
        if (x->first_byte_will_do) {
            finish(x, EXCHANGE_ANSWERED);
            return;
        }
    }
}

static void on_ready(evutil_socket_t fd, short what, void *ctx)
{
    struct exchange *x = ctx;
    (void)fd;
    if ((what & EV_WRITE) != 0)
        send_rest(x);
    else
        read_answer(x);
}

int exchange_unix_address(const char *path, struct sockaddr_un *ret)
{
    *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
    return strlcpy(ret->sun_path, path, sizeof(ret->sun_path)) < sizeof(ret->sun_path) ? 0 : -1;
}

int exchange_start(struct exchange *x, struct event_base *base, const struct exchange_plan *plan,
                   enum exchange_end *ret_end)
{
    exchange_cancel(x);
    buf_clear(&x->request);
    buf_clear(&x->answer);
    buf_add(&x->request, plan->request);
    x->sent = 0;
    x->answer_max = plan->answer_max;
    x->first_byte_will_do = plan->first_byte_will_do;
    x->close_our_half = plan->close_our_half;
    x->done = plan->done;
    x->ctx = plan->ctx;
    *ret_end = EXCHANGE_CLOSED;
    int fd = socket(plan->address->sa_family, SOCK_STREAM, 0);
    if (fd < 0)
        return -1;
    (void)evutil_make_socket_nonblocking(fd);
    (void)evutil_make_socket_closeonexec(fd);
    int rc = connect(fd, plan->address, plan->address_len);
    bool queue_is_full = rc != 0 && errno == EAGAIN;
    if (rc != 0 && errno != EINPROGRESS && !queue_is_full) {
        *ret_end = EXCHANGE_NO_ONE;
        goto fail;
    }
    x->fd = fd;
    x->event = event_new(base, fd, EV_WRITE | EV_PERSIST, on_ready, x);
    if (x->request.failed || x->event == NULL)
        goto fail;
    /* The queue of this unix socket is full, because its owner accepts nothing: it is silent, not
     * absent. So leave the exchange under way, but do not wait for the socket: it is not connected,
     * and the loop would report its end. */
    if (!queue_is_full && event_add(x->event, NULL) != 0)
        goto fail;
    return 0;
fail:
    if (x->event != NULL)
        event_free(x->event);
    x->event = NULL;
    (void)close(fd);
    return -1;
}
