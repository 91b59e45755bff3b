/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/gateway/http.h"

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "tunnel-agent/gateway/https.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

const char *http_url_parse(const char *text, struct http_url *ret)
{
    struct http_url url = {.tls = strncmp(text, "https://", 8) == 0};
    const char *p = text + (url.tls ? 8 : 7), *end, *problem = NULL;
    size_t len;
    if (!url.tls && strncmp(text, "http://", 7) != 0)
        return "starts with neither http:// nor https://";
    for (const char *c = text; *c != '\0'; c++)
        if (!isgraph((unsigned char)*c) || strchr("@?#\"<>\\^`{|}", *c) != NULL)
            return "holds a character that has no place in it";
    if (*p == '[') {
        end = strchr(++p, ']');
        if (end == NULL)
            return "has a bracket that is not closed";
        len = (size_t)(end - p);
        end++;
    } else {
        len = strcspn(p, ":/");
        end = p + len;
    }
    if (len == 0 || len >= sizeof(url.host))
        return "names no host";
    memcpy(url.host, p, len);
    for (const char *c = url.host; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c) && strchr(".-_:%", *c) == NULL)
            return "names no host";
    url.port = url.tls ? 443 : 80;
    if (*end == ':') {
        char port[8];
        len = strcspn(++end, "/");
        if (len == 0 || len >= sizeof(port) || !isdigit((unsigned char)*end))
            return "has a port that is not 1-65535";
        memcpy(port, end, len);
        port[len] = '\0';
        url.port = (uint16_t)strtonum(port, 1, 65535, &problem);
        if (problem != NULL)
            return "has a port that is not 1-65535";
        end += len;
    }
    if (*end != '\0' && *end != '/')
        return "has something behind its port";
    if (strlcpy(url.path, *end != '\0' ? end : "/", sizeof(url.path)) >= sizeof(url.path))
        return "has too long a path";
    *ret = url;
    return NULL;
}

bool http_url_is_loopback(const struct http_url *url)
{
    /* Numbers only: what "localhost" is, a resolver decides, but everybody means this. */
    return strcmp(url->host, "localhost") == 0 || strcmp(url->host, "::1") == 0 ||
           (strncmp(url->host, "127.", 4) == 0 &&
            url->host[strspn(url->host, "0123456789.")] == '\0');
}

void http_post_format(const struct http_url *url, const char *credential, const char *body,
                      struct buf *out)
{
    bool six = strchr(url->host, ':') != NULL;
    buf_addf(out, "POST %s HTTP/1.0\r\nHost: %s%s%s:%u\r\n", url->path, six ? "[" : "", url->host,
             six ? "]" : "", url->port);
    if (credential != NULL && credential[0] != '\0')
        buf_addf(out, "Authorization: Bearer %s\r\n", credential);
    buf_addf(out,
             "User-Agent: tunnel-agent/" TUNLEASE_VERSION "\r\nContent-Type: application/json\r\n"
             "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
             strlen(body), body);
}

unsigned http_answer_parse(const char *text, size_t len, const char **ret_body, size_t *ret_len)
{
    const char *end = len > 12 ? memmem(text, len, "\r\n\r\n", 4) : NULL;
    if (end == NULL || strncmp(text, "HTTP/1.", 7) != 0 || text[8] != ' ')
        return 0;
    for (int i = 9; i < 12; i++)
        if (!isdigit((unsigned char)text[i]))
            return 0;
    /* We asked in HTTP/1.0 with Connection: close, so the body ends where the connection does. */
    *ret_body = end + 4;
    *ret_len = len - (size_t)(*ret_body - text);
    return (unsigned)((text[9] - '0') * 100 + (text[10] - '0') * 10 + (text[11] - '0'));
}

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

/* A connected socket, or -1 and the reason. */
static int connect_to(const struct http_url *url, int64_t end_ms, const char **ret_why)
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

static unsigned post_plain(const struct http_url *url, const char *credential, const char *body,
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
            break; /* an early answer may still be there */
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
        buf_addf(out, "cannot reach http://%s:%u: %s", url->host, url->port, why);
    if (fd >= 0)
        (void)close(fd);
    buf_release(&request);
    buf_release(&answer);
    return status;
}

unsigned http_post(const struct http_url *url, const char *credential, const char *body,
                   int64_t timeout_ms, struct buf *out)
{
    return url->tls ? https_post(url, credential, body, timeout_ms, out)
                    : post_plain(url, credential, body, timeout_ms, out);
}
