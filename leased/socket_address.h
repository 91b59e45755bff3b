/* SPDX-License-Identifier: ISC */
/* The address of a line of Listen or MetricsListen, and of a socket. */
#ifndef TUNLEASE_LEASED_SOCKET_ADDRESS_H
#define TUNLEASE_LEASED_SOCKET_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct conf_listener;

enum { SOCKET_ADDRESS_TEXT_BYTES = 128 };

/* Its length; 0: it is no IPv4 or IPv6 address, or too long a path. */
socklen_t socket_address_fill(const struct conf_listener *l, struct sockaddr_storage *out);

/* Whether both are the address of one socket; want_len: of want. */
bool socket_address_same(const struct sockaddr_storage *have, const struct sockaddr_storage *want,
                         socklen_t want_len);

/* For people, cut where it does not fit. */
void socket_address_describe(const struct sockaddr_storage *have, char *out, size_t out_bytes);

#endif
