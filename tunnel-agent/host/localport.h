/* SPDX-License-Identifier: ISC */
/* Tells whether a local port is free to listen on, and who holds it if not. */
#ifndef TUNLEASE_AGENT_HOST_LOCALPORT_H
#define TUNLEASE_AGENT_HOST_LOCALPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Makes the address of a bind address of ssh's -L; with to_connect, the address to connect to
 * (loopback for "*"). -1: bind is a name, or no address.
 */
int localport_address(const char *bind, uint16_t port, bool to_connect,
                      struct sockaddr_storage *ret, socklen_t *ret_len);

/* Tries to bind and listen as ssh would. If the port is not free, holder says who holds it, or why.
 */
bool localport_is_free(const char *bind, uint16_t port, char *holder, size_t holder_size);

#endif
