/* SPDX-License-Identifier: ISC */
/* Is a local port free to listen on, and if not, who has it? */
#ifndef TUNLEASE_AGENT_HOST_LOCALPORT_H
#define TUNLEASE_AGENT_HOST_LOCALPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* The address that -L's bind means; to_connect: where to reach it ("*" is then loopback). -1: none.
 */
int localport_address(const char *bind, uint16_t port, bool to_connect,
                      struct sockaddr_storage *ret, socklen_t *ret_len);

/* Tries to bind it as ssh would. When it is not free, holder says who has it or why not. */
bool localport_is_free(const char *bind, uint16_t port, char *holder, size_t holder_size);

#endif
