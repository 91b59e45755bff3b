/* SPDX-License-Identifier: ISC */
#include "leasectl/host/sshd_connect.h"

#include "lib/base/clock.h"

#include <arpa/inet.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BANNER_MS = 2000 };

int sshd_connect(const struct sshd *s)
{
    static const char hello[] = "SSH-2.0-leasectl\r\n";
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(s->port)};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(s->port)};
    bool is_v6 = inet_pton(AF_INET6, s->host, &v6.sin6_addr) == 1;
    if (!is_v6 && inet_pton(AF_INET, s->host, &v4.sin_addr) != 1)
        return -1;
    int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, is_v6 ? (const struct sockaddr *)&v6 : (const struct sockaddr *)&v4,
                is_v6 ? sizeof(v6) : sizeof(v4)) == 0 &&
        send(fd, hello, sizeof(hello) - 1, MSG_NOSIGNAL) == (ssize_t)sizeof(hello) - 1)
        return fd;
    (void)close(fd);
    return -1;
}

bool sshd_running_version(const struct sshd *s, struct sshd_version *ret)
{
    char text[512];
    size_t len = 0;
    bool found = false;
    int64_t end_ms = clock_monotonic_ms() + BANNER_MS;
    int fd = sshd_connect(s);
    while (fd >= 0 && !found && len < sizeof(text) - 1) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int64_t left_ms = end_ms - clock_monotonic_ms();
        if (left_ms <= 0 || poll(&p, 1, (int)left_ms) <= 0)
            break;
        ssize_t n = recv(fd, text + len, sizeof(text) - 1 - len, 0);
        if (n <= 0)
            break;
        len += (size_t)n;
        text[len] = '\0';
        const char *at = strstr(text, "SSH-2.0-OpenSSH_");
        if (at != NULL && strchr(at, '\n') != NULL) {
            found = sshd_parse_version(at + 16, ret);
            break;
        }
    }
    if (fd >= 0)
        (void)close(fd);
    return found;
}
