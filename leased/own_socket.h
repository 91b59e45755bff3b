/* SPDX-License-Identifier: ISC */
/* Opens a listening socket, TCP or unix, and sets who may connect to a unix socket. */
#ifndef TUNLEASE_LEASED_OWN_SOCKET_H
#define TUNLEASE_LEASED_OWN_SOCKET_H

struct conf_listener;

/* Returns the socket, non-blocking and listening; or -1, logged. Replaces a unix socket that nobody
 * listens on. */
int own_socket_open(const struct conf_listener *l);

#endif
