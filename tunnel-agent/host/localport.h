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

/* Tries to bind and listen as ssh would. If that fails, holder says who holds the port, or why not.
 */
bool localport_is_free(const char *bind, uint16_t port, char *holder, size_t holder_size);

/* For a port that is not free, and the holder of above: a sentence, with what to do about it. */
void localport_explain(const char *bind, uint16_t port, const char *holder, char *out, size_t size);

#endif
