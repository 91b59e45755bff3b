/* SPDX-License-Identifier: ISC */
/* Socket addresses of lines of Listen and MetricsListen: made, compared, shown. */
#ifndef TUNLEASE_LEASED_SOCKET_ADDRESS_H
#define TUNLEASE_LEASED_SOCKET_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct conf_listener;

enum { SOCKET_ADDRESS_TEXT_BYTES = 128 };

/* Returns the length of the address; 0: not an IPv4 or IPv6 address, or the path is too long. */
socklen_t socket_address_fill(const struct conf_listener *l, struct sockaddr_storage *out);

/* Whether both addresses are the same. want_len: as socket_address_fill returned it. */
bool socket_address_same(const struct sockaddr_storage *have, const struct sockaddr_storage *want,
                         socklen_t want_len);

/* Writes the address for people, cut off where it does not fit. */
void socket_address_describe(const struct sockaddr_storage *have, char *out, size_t out_bytes);

#endif
