/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/gateway/post.h"

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "tunnel-agent/gateway/http.h"
#include "tunnel-agent/gateway/https.h"
#include "tunnel-agent/gateway/reach_advice.h"
#include "tunnel-agent/gateway/url.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool wait_for(int fd, short what, int64_t end_ms)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = what};
        int64_t left_ms = end_ms - clock_monotonic_ms();
        if (left_ms <= 0)
            return false;
        int n = poll(&p, 1, (int)left_ms);
        if (n > 0)
            return true;
        if (n == 0 || errno != EINTR)
            return false;
    }
}

/* A connected socket, or -1 with the reason. */
static int connect_to(const struct url *url, int64_t end_ms, const char **ret_why)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    char service[8];
    int fd = -1;
    (void)snprintf(service, sizeof(service), "%u", url->port);
    int rc = getaddrinfo(url->host, service, &hints, &list);
    if (rc != 0) {
        *ret_why = gai_strerror(rc);
        return -1;
    }
    *ret_why = "no address";
    for (const struct addrinfo *a = list; a != NULL && fd < 0; a = a->ai_next) {
        int error = 0;
        socklen_t len = sizeof(error);
        fd = socket(a->ai_family, SOCK_STREAM, 0);
        if (fd < 0)
            continue;
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
        (void)fcntl(fd, F_SETFL, O_NONBLOCK);
        if (connect(fd, a->ai_addr, a->ai_addrlen) != 0)
            error = errno;
        if (error == EINPROGRESS) {
            error = ETIMEDOUT;
            if (wait_for(fd, POLLOUT, end_ms))
                (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
        }
        if (error == 0)
            break;
        *ret_why = strerror(error);
        (void)close(fd);
        fd = -1;
    }
    freeaddrinfo(list);
    return fd;
}

static unsigned post_plain(const struct url *url, const char *credential, const char *body,
                           int64_t timeout_ms, struct buf *out)
{
    struct buf request = {0}, answer = {0};
    const char *why = "no answer in time", *answer_body;
    char chunk[4096];
    size_t answer_len;
    unsigned status = 0;
    int64_t end_ms = clock_monotonic_ms() + timeout_ms;
    int fd = connect_to(url, end_ms, &why);

    http_post_format(url, credential, body, &request);
    if (fd < 0 || request.failed)
        goto out;
    why = "no answer in time";
    for (size_t sent = 0; sent < request.len;) {
        if (!wait_for(fd, POLLOUT, end_ms))
            goto out;
        ssize_t n = send(fd, request.data + sent, request.len - sent, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            break; /* it may have answered before it closed */
        if (n > 0)
            sent += (size_t)n;
    }
    while (answer.len < HTTP_ANSWER_MAX) {
        if (!wait_for(fd, POLLIN, end_ms))
            goto out;
        ssize_t n = recv(fd, chunk, sizeof(chunk), 0);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            break;
        if (n > 0)
            buf_add_mem(&answer, chunk, (size_t)n);
    }
    why = "the answer is no HTTP";
    status = answer.data != NULL
                 ? http_answer_parse(answer.data, answer.len, &answer_body, &answer_len)
                 : 0;
    if (status != 0)
        buf_add_mem(out, answer_body, answer_len);
out:
    if (status == 0)
        buf_addf(out, "cannot reach http://%s:%u: %s%s", url->host, url->port, why,
                 reach_advice(why));
    if (fd >= 0)
        (void)close(fd);
    buf_release(&request);
    buf_release(&answer);
    return status;
}

unsigned post_request(const struct url *url, const char *credential, const char *body,
                      int64_t timeout_ms, struct buf *out)
{
    return url->tls ? https_post(url, credential, body, timeout_ms, out)
                    : post_plain(url, credential, body, timeout_ms, out);
}
