/* SPDX-License-Identifier: ISC */
#include "join/exchange.h"

#include "join/http_answer.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"

#include <bsd/string.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Of an answer: its JSON, and its head. */
enum { ANSWER_BYTES_MAX = JOIN_ANSWER_BYTES_MAX + 4096 };

static bool wait_for(int fd, short events, int64_t until_ms)
{
    struct pollfd p = {.fd = fd, .events = events};
    int rc = 0;
    do {
        int64_t left_ms = until_ms - clock_monotonic_ms();
        rc = left_ms > 0 ? poll(&p, 1, (int)left_ms) : 0;
    } while (rc < 0 && errno == EINTR);
    return rc == 1;
}

/* A descriptor, or -1. A unix socket is connected at once, or its queue is full (EAGAIN). */
static int connect_to(const char *path, int64_t until_ms)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    if (strlcpy(at.sun_path, path, sizeof(at.sun_path)) >= sizeof(at.sun_path))
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    while (fd >= 0 && connect(fd, (const struct sockaddr *)&at, sizeof(at)) != 0) {
        if (errno == EAGAIN && clock_monotonic_ms() < until_ms) {
            (void)poll(NULL, 0, 50);
            continue;
        }
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

static int add_request(const struct join_request *request, struct buf *out)
{
    struct buf body = {0};
    int rc = join_request_format(request, &body);
    if (rc == 0)
        buf_addf(out,
                 "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                 "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
                 body.len, buf_text_or(&body, ""));
    buf_release(&body);
    return rc != 0 || out->failed ? -1 : 0;
}

/* False: not all of it is on its way. */
static bool send_all(int fd, const struct buf *b, int64_t until_ms)
{
    for (size_t sent = 0; sent < b->len;) {
        ssize_t n = send(fd, b->data + sent, b->len - sent, MSG_NOSIGNAL);
        if (n > 0)
            sent += (size_t)n;
        else if (errno != EINTR && (errno != EAGAIN || !wait_for(fd, POLLOUT, until_ms)))
            return false;
    }
    return true;
}

/* Reads up to the end of the connection. False: there was none in time, or too much came. */
static bool receive_all(int fd, struct buf *answer, int64_t until_ms)
{
    char chunk[4096];
    while (wait_for(fd, POLLIN, until_ms) && answer->len <= ANSWER_BYTES_MAX) {
        ssize_t n = recv(fd, chunk, sizeof(chunk), 0);
        if (n == 0)
            return !answer->failed;
        if (n > 0)
            buf_add_mem(answer, chunk, (size_t)n);
        else if (errno != EINTR && errno != EAGAIN)
            return false;
    }
    return false;
}

static enum exchange judge(const struct buf *text, struct join_answer *ret)
{
    const char *body = NULL;
    size_t len = 0;
    unsigned status = http_answer_parse(buf_text_or(text, ""), text->len, &body, &len);
    if (status == 0)
        return EXCHANGE_LOST;
    if (status != 200)
        return EXCHANGE_REFUSED;
    return join_answer_parse(body, len, ret) == NULL ? EXCHANGE_ANSWERED : EXCHANGE_LOST;
}

enum exchange exchange_join(const char *path, const struct join_request *request, int wait_ms,
                            struct join_answer *ret)
{
    const int64_t until_ms = clock_monotonic_ms() + wait_ms;
    struct buf text = {0}, answer = {0};
    enum exchange result = EXCHANGE_NOT_SENT;
    int fd = -1;

    if (add_request(request, &text) != 0)
        goto out;
    fd = connect_to(path, until_ms);
    /* leased decides a whole request alone, so what was sent in part spends nothing. */
    if (fd < 0 || !send_all(fd, &text, until_ms))
        goto out;
    result = receive_all(fd, &answer, until_ms) ? judge(&answer, ret) : EXCHANGE_LOST;
out:
    if (fd >= 0)
        (void)close(fd);
    if (answer.data != NULL)
        explicit_bzero(answer.data, answer.len); /* it may hold an agent's secret */
    buf_release(&answer);
    buf_release(&text);
    return result;
}
