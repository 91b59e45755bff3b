/* SPDX-License-Identifier: ISC */
/* What the kernel says is: the TCP ports on which anything listens, from /proc/net/tcp and tcp6. */
#ifndef TUNLEASE_SESSION_LISTENERS_H
#define TUNLEASE_SESSION_LISTENERS_H

#include "lib/base/tcp_table.h"

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

/*
 * The same piece by piece: the kernel takes some 2 us to show a listener, and with tens of
 * thousands of them who reads all at once stands still for long. 0 or -1 as above; then to be gone
 * on with while that returns 1, or to be ended before. 0: found is what was found. -1: errno.
 */
struct listeners_scan {
    pid_t pid;
    bool is_last; /* of the two tables */
    struct tcp_table table;
    struct listeners found;
};
int listeners_scan_begin(struct listeners_scan *scan, pid_t pid);
int listeners_scan_next(struct listeners_scan *scan); /* by a handful */
void listeners_scan_end(struct listeners_scan *scan);

bool listeners_has(const struct listeners *l, uint16_t port);

#endif
