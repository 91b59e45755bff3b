/* SPDX-License-Identifier: ISC */
/* Listening TCP sockets of this host, and which process holds them. */
#ifndef TUNLEASE_LEASECTL_HOST_LISTENING_H
#define TUNLEASE_LEASECTL_HOST_LISTENING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LISTENING_SOCKETS_MAX = 16 };

struct listening_socket {
    uint64_t inode;
    uint16_t port;
    char host[64];
};

struct listening_sockets {
    struct listening_socket items[LISTENING_SOCKETS_MAX];
    size_t count;
};

/* Those on this port, of both address families; more than LISTENING_SOCKETS_MAX are left out. */
void listening_sockets_on_port(uint16_t port, struct listening_sockets *out);

/* The first of sockets that the process, a name in /proc, has open. NULL: it has none. */
const struct listening_socket *listening_socket_of_process(const char *pid,
                                                           const struct listening_sockets *sockets);

/* Whether a listening socket is on this port that is not the one of this inode. */
bool listening_socket_was_replaced(uint16_t port, uint64_t socket);

/* Whether systemd itself holds a listening socket on this port. */
bool systemd_listens_on_port(uint16_t port);

#endif
