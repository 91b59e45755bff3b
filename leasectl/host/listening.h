/* SPDX-License-Identifier: ISC */
/* The listening TCP sockets of this host, and which process has them open. */
#ifndef TUNLEASE_LEASECTL_HOST_LISTENING_H
#define TUNLEASE_LEASECTL_HOST_LISTENING_H

#include "lib/base/port_set.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

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

/* Finds the sockets that listen on port, IPv4 and IPv6, up to LISTENING_SOCKETS_MAX of them. */
void listening_sockets_on_port(uint16_t port, struct listening_sockets *out);

/* Finds the sockets that listen on one of ports at an address that is not loopback, up to
 * LISTENING_SOCKETS_MAX of them; host is that address, 0.0.0.0 or :: for all. 0; or -1 with errno:
 * they cannot be read. */
int listening_sockets_beyond_loopback(const struct port_set *ports, struct listening_sockets *out);

enum { LISTENING_COMMAND_BYTES = 512 };

struct listening_process {
    pid_t pid;                             /* 0: it cannot be seen */
    char name[32];                         /* as the kernel has it */
    char command[LISTENING_COMMAND_BYTES]; /* its command line, cut */
};

/* The process that has socket open. */
void listening_process_of(const struct listening_socket *socket, struct listening_process *ret);

/* The first of sockets that the process has open, or NULL. pid: its name in /proc. */
const struct listening_socket *listening_socket_of_process(const char *pid,
                                                           const struct listening_sockets *sockets);

/* True when something listens on port and the socket with this inode no longer does. */
bool listening_socket_was_replaced(uint16_t port, uint64_t socket);

/* True when systemd itself listens on port, for a socket unit. */
bool systemd_listens_on_port(uint16_t port);

#endif
