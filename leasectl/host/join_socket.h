/* SPDX-License-Identifier: ISC */
/* Whether leased can be reached by who joins: over its join socket, which is not one of Listen. */
#ifndef TUNLEASE_LEASECTL_HOST_JOIN_SOCKET_H
#define TUNLEASE_LEASECTL_HOST_JOIN_SOCKET_H

struct buf;
struct conf;

/* 0; or -1, and why not in out, as a clause that names the socket. */
int join_socket_try(const struct conf *conf, struct buf *out);

#endif
