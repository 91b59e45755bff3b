/* SPDX-License-Identifier: ISC */
/*
 * What the kernel has counted on the TCP connections of this network namespace: sock_diag(7) with
 * the tcp_info of each socket. Anybody may ask for it. Whose socket it is, only root can find out.
 */
#ifndef TUNLEASE_LEASECTL_TRAFFIC_INET_DIAG_H
#define TUNLEASE_LEASECTL_TRAFFIC_INET_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct inet_counters {
    uint64_t inode;
    uint64_t cookie;         /* the kernel gives it to no other socket until the next boot */
    unsigned state;          /* enum tcp_state (lib/base/tcp_table.h) */
    bool has_bytes;          /* false: this kernel does not count them (before 4.1) */
    uint64_t received, sent; /* bytes, as tcp_info has them: SYN and FIN count as one each */
    int64_t idle_ms;         /* since data went either way */
};

struct inet_counter_list {
    struct inet_counters *items; /* owned; sorted by inode */
    size_t count;
};

/* Reads those of all connections that a process has open, IPv4 and IPv6. Returns 0 and *ret, or -1
 * with errno: the kernel does not tell. */
int inet_counters_read(struct inet_counter_list *ret);

/* NULL: it is not among them. */
const struct inet_counters *inet_counters_find(const struct inet_counter_list *list,
                                               uint64_t inode);

void inet_counter_list_release(struct inet_counter_list *list);

#endif
