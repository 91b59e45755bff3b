/* SPDX-License-Identifier: ISC */
/* What the kernel says is: the TCP ports on which anything listens, from /proc/net/tcp and tcp6. */
#ifndef TUNLEASE_SESSION_LISTENERS_H
#define TUNLEASE_SESSION_LISTENERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct listeners {
    uint8_t ports[65536 / 8];
};

/* In this network namespace, on any address. 0, or -1 with errno set when it cannot be told. */
int listeners_read(struct listeners *ret);
/* In that of process pid (1 for the host's, behind systemd's sockets); 0: our own. */
int listeners_read_of(pid_t pid, struct listeners *ret);
bool listeners_has(const struct listeners *l, uint16_t port);

#endif
