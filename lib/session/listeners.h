/* SPDX-License-Identifier: ISC */
/* The TCP ports on which anything listens, as the kernel shows them in /proc/net/tcp and tcp6. */
#ifndef TUNLEASE_SESSION_LISTENERS_H
#define TUNLEASE_SESSION_LISTENERS_H

#include "lib/base/tcp_table.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct listeners {
    uint8_t ports[65536 / 8];
};

/* Reads those of our network namespace, on any address. Returns 0, or -1 with errno: they cannot be
 * told. */
int listeners_read(struct listeners *ret);
/* Reads those of the network namespace of process pid; 0: our own. 1 is for the host's, from a
 * namespace into which systemd passes sockets of the host. */
int listeners_read_of(pid_t pid, struct listeners *ret);

/*
 * The same in pieces. The kernel takes some 2 us to show a listener, so with tens of thousands of
 * them a caller that read all at once would stand still for long. listeners_scan_begin returns 0 or
 * -1, as above. Then call listeners_scan_next, which reads a handful, while it returns 1. When it
 * returns 0, found has the result; -1: errno says why. listeners_scan_end gives up before that.
 */
struct listeners_scan {
    pid_t pid;
    bool is_last; /* of the two tables */
    struct tcp_table table;
    struct listeners found;
};
int listeners_scan_begin(struct listeners_scan *scan, pid_t pid);
int listeners_scan_next(struct listeners_scan *scan);
void listeners_scan_end(struct listeners_scan *scan);

bool listeners_has(const struct listeners *l, uint16_t port);
void listeners_add(void *listeners, uint16_t port); /* struct listeners */

#endif
