/* SPDX-License-Identifier: ISC */
/*
 * The TCP sockets of live sessions, as the kernel shows them (proc(5), /proc/net/tcp): the
 * listeners of their -R forwards, and the connections of their forwards.
 */
#ifndef TUNLEASE_SESSION_SOCKETS_H
#define TUNLEASE_SESSION_SOCKETS_H

#include "lib/session/session_list.h"
#include "lib/session/sight.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SOCKET_TEXT_BYTES = 64 };

struct session_socket {
    pid_t pid; /* of the session's monitor */
    uint64_t inode;
    unsigned state; /* enum tcp_state (lib/base/tcp_table.h), or another of the kernel's */
    bool listening;
    uint16_t port, remote_port;     /* local; 0 for a listener */
    char local[SOCKET_TEXT_BYTES];  /* ADDRESS:PORT, IPv6 in brackets; ::ffff:A.B.C.D as A.B.C.D */
    char remote[SOCKET_TEXT_BYTES]; /* "" for a listener */
};

struct socket_list {
    struct session_socket *items; /* owned; sorted by session, listeners first, then by port */
    size_t count;
    size_t unseen; /* how many sessions may have more sockets than could be seen */
    bool *seen;    /* owned; for each session of the list that was read: not one of these */
};

/*
 * Reads the TCP sockets, in this network namespace, of all sessions in the list. Leaves out those
 * that the monitor has open, too: the ssh connection. An orphan (session.orphan) has no monitor any
 * more, so its ssh connection is in the result.
 *
 * Returns 0, or -1 with errno. Needs root, because the sockets of another user's process cannot be
 * seen; a session with such processes counts as unseen.
 */
int sockets_read(const struct session_list *list, struct socket_list *ret);

/* The same for single processes: each of pids is the pid of its sockets, and nothing is left out.
 */
int sockets_read_of(const pid_t *pids, size_t count, struct socket_list *ret);

/* True if s, a connection of a session, came in to one of the listeners of that session (ssh -R).
 * Else the session opened it (ssh -L). */
bool socket_was_accepted(const struct socket_list *list, const struct session_socket *s);

/* True if a and b are the two ends of one connection within this host. */
bool sockets_are_one_connection(const struct session_socket *a, const struct session_socket *b);

/* Whether the other end of this connection is on this host, whoever has it. */
enum sight socket_other_end_is_here(const struct session_socket *s);

void socket_list_release(struct socket_list *list);

#endif
