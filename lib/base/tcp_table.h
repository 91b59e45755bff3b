/* SPDX-License-Identifier: ISC */
/*
 * The kernel's table of TCP sockets, /proc/net/tcp or tcp6 (proc(5)), line by line. Listeners come
 * first (the kernel's Documentation/networking/proc_net_tcp.rst).
 */
#ifndef TUNLEASE_BASE_TCP_TABLE_H
#define TUNLEASE_BASE_TCP_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* include/net/tcp_states.h of the kernel */
enum tcp_state {
    TCP_ESTABLISHED_STATE = 1,
    TCP_SYN_SENT_STATE = 2,
    TCP_FIN_WAIT1_STATE = 4,  /* our end of the connection is closed for sending, */
    TCP_FIN_WAIT2_STATE = 5,  /* and the other side knows */
    TCP_CLOSE_WAIT_STATE = 8, /* the other end is closed for sending */
    TCP_LISTEN_STATE = 10
};

/* The parts of one line; the pointers point into it. */
struct tcp_line {
    const char *local, *remote; /* ADDRESS:PORT in hex, up to a blank */
    uint16_t port;              /* local */
    unsigned state;             /* enum tcp_state, or another of the kernel's */
    const char *rest;           /* what follows the state */
};

/* False if line is not an entry of the table, such as its heading. */
bool tcp_line_parse(const char *line, struct tcp_line *ret);

/* Parses end, the local or remote of a line: the address as inet_ntop(3) takes it (IPv4 in the
 * first word), and the port. False if it is malformed. */
bool tcp_end_parse(const char *end, bool v6, uint32_t ret_address[static 4], uint16_t *ret_port);

/* The socket's inode; 0 if the line has none. */
uint64_t tcp_line_inode(const struct tcp_line *line);

/* Whose socket it is, and its inode, which is 0 once no process has it open. False: the line does
 * not say. */
bool tcp_line_owner(const struct tcp_line *line, uid_t *ret_uid, uint64_t *ret_inode);

struct tcp_table {
    int fd; /* -1: closed */
    bool has_heading;
    size_t len;
    char text[1536];
};

/*
 * Opens the table of IPv4 or IPv6 sockets in the network namespace of process pid (pid 0: our own).
 * Returns 0, or -1 with errno set; ENOENT for IPv6 means that the host has no IPv6.
 */
int tcp_table_open(struct tcp_table *t, pid_t pid, bool v6);

/*
 * Reads a few lines and calls fn for each. Returns 1: call it again for more. 0: the table ended,
 * or fn returned false to stop; the table is closed. -1 with errno set: it cannot be read; the
 * table is closed.
 */
typedef bool (*tcp_line_fn)(void *ctx, const char *line);
int tcp_table_read(struct tcp_table *t, tcp_line_fn fn, void *ctx);

void tcp_table_close(struct tcp_table *t); /* does nothing if it is closed already */

#endif
