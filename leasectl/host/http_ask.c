/* SPDX-License-Identifier: ISC */
#include "leasectl/host/http_ask.h"

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/conf/conf.h"

#include <arpa/inet.h>
#include <bsd/string.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { ANSWER_MS = 2000, ANSWER_BYTES_MAX = 4096 };

union any_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
};

/* The length of the address; 0: it is a name, or too long. */
static socklen_t parse_address(const struct conf_listener *at, union any_address *ret)
{
    const uint16_t port = htons(at->address.low);
    *ret = (union any_address){0};
    if (at->unix_path[0] != '\0') {
        ret->local.sun_family = AF_UNIX;
        return strlcpy(ret->local.sun_path, at->unix_path, sizeof(ret->local.sun_path)) <
                       sizeof(ret->local.sun_path)
                   ? sizeof(ret->local)
                   : 0;
    }
    if (inet_pton(AF_INET, at->address.host, &ret->v4.sin_addr) == 1) {
        ret->v4.sin_family = AF_INET;
        ret->v4.sin_port = port;
        return sizeof(ret->v4);
    }
    if (inet_pton(AF_INET6, at->address.host, &ret->v6.sin6_addr) != 1)
        return 0;
    ret->v6.sin6_family = AF_INET6;
    ret->v6.sin6_port = port;
    return sizeof(ret->v6);
}

static bool wait_for(int fd, short events, int64_t until_ms)
{
    struct pollfd p = {.fd = fd, .events = events};
    int64_t left_ms = until_ms - clock_monotonic_ms();
    return left_ms > 0 && poll(&p, 1, (int)left_ms) == 1;
}

/* 0; or -1 with errno. */
static int exchange(int fd, const union any_address *to, socklen_t to_bytes, const char *request,
                    struct buf *answer)
{
    const int64_t until_ms = clock_monotonic_ms() + ANSWER_MS;
    int problem = 0;
    socklen_t problem_bytes = sizeof(problem);
    char chunk[1024];
    ssize_t n = -1;
    errno = 0;
    if (connect(fd, &to->any, to_bytes) != 0 && errno != EINPROGRESS)
        return -1;
    errno = ETIMEDOUT;
    if (!wait_for(fd, POLLOUT, until_ms) ||
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &problem, &problem_bytes) != 0)
        return -1;
    errno = problem;
    if (problem != 0 || send(fd, request, strlen(request), MSG_NOSIGNAL) < 0)
        return -1;
    do {
        errno = ETIMEDOUT;
        if (!wait_for(fd, POLLIN, until_ms))
            return -1;
        n = read(fd, chunk, sizeof(chunk));
        if (n > 0)
            buf_add_mem(answer, chunk, (size_t)n);
    } while (n > 0 && answer->len < ANSWER_BYTES_MAX);
    return n < 0 ? -1 : 0;
}

const char *http_ask(const struct conf_listener *at, const char *request, struct buf *answer)
{
    const char *problem = NULL;
    union any_address to;
    const socklen_t to_bytes = parse_address(at, &to);
    if (to_bytes == 0 || *request == '\0')
        return "Listen is no address that it could be asked at";
    int fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || exchange(fd, &to, to_bytes, request, answer) != 0)
        problem = strerror(errno);
    if (fd >= 0)
        (void)close(fd);
    return problem;
}
