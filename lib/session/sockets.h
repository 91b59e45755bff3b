/* SPDX-License-Identifier: ISC */
/*
 * What a live session holds open, as the kernel says (proc(5), /proc/net/tcp): the listeners of its
 * -R forwards, and the connections that go through it.
 */
#ifndef TUNLEASE_SESSION_SOCKETS_H
#define TUNLEASE_SESSION_SOCKETS_H

#include "lib/session/session_list.h"

#include <netinet/in.h>

enum { SOCKET_TEXT_BYTES = 64 };

struct session_socket {
    pid_t pid; /* of the session's monitor */
    bool listening;
    uint16_t port;                  /* local */
    char local[SOCKET_TEXT_BYTES];  /* ADDRESS:PORT, IPv6 in brackets */
    char remote[SOCKET_TEXT_BYTES]; /* "" for a listener */
};

struct socket_list {
    struct session_socket *items; /* owned; by session, listeners first, by port */
    size_t count;
    size_t unseen; /* sessions whose sockets could not all be seen, so there may be others */
};

/*
 * All TCP sockets of all sessions in the list but the ssh connections themselves, which the monitor
 * holds too. In this network namespace. 0, or -1 with errno set. Needs root: those of another
 * user's process are not to be seen, and such a session is counted as unseen.
 */
int sockets_read(const struct session_list *list, struct socket_list *ret);
void socket_list_release(struct socket_list *list);

#endif
