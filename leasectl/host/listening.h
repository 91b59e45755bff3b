/* SPDX-License-Identifier: ISC */
/* Listening TCP sockets of this host, and which process holds them. */
#ifndef TUNLEASE_LEASECTL_HOST_LISTENING_H
#define TUNLEASE_LEASECTL_HOST_LISTENING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SOCKETS_MAX = 16 };

struct listening {
    uint64_t inode;
    uint16_t port;
    char host[64];
};

struct listenings {
    struct listening items[SOCKETS_MAX];
    size_t count;
};

/* Those on this port, of both address families; more than SOCKETS_MAX are left out. */
void find_listenings(uint16_t port, struct listenings *out);

/* The first of sockets that the process, a name in /proc, has open. NULL: it has none. */
const struct listening *held_by(const char *pid, const struct listenings *sockets);

/* Whether a listening socket is on this port that is not the one of this inode. */
bool sshd_listens_anew(uint16_t port, uint64_t socket);

/* Whether systemd itself holds a listening socket on this port. */
bool sshd_port_is_systemds(uint16_t port);

#endif
