/* SPDX-License-Identifier: ISC */
#include "leasectl/probe/loopback.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

int loopback_socket(uint16_t port, bool listening, uint16_t *ret_port)
{
    struct sockaddr_in sin = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(sin);
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) != 0 || (listening && listen(fd, 16) != 0) ||
        getsockname(fd, (struct sockaddr *)&sin, &len) != 0) {
        (void)close(fd);
        return -1;
    }
    *ret_port = ntohs(sin.sin_port);
    return fd;
}

int loopback_connect(uint16_t port)
{
    struct sockaddr_in sin = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&sin, sizeof(sin)) != 0) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

uint16_t loopback_free_port(void)
{
    uint16_t port = 0;
    int fd = loopback_socket(0, false, &port);
    if (fd >= 0)
        (void)close(fd);
    return port;
}
