/* SPDX-License-Identifier: ISC */
/* A listening socket that leased opens itself: TCP, or unix with who may connect. */
#ifndef TUNLEASE_LEASED_OWN_SOCKET_H
#define TUNLEASE_LEASED_OWN_SOCKET_H

struct conf_listener;

/* The socket, non-blocking and listening; or -1, logged with why not. Replaces a unix socket that
 * nobody listens on. */
int own_socket_open(const struct conf_listener *l);

#endif
