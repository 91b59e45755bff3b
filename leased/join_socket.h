/* SPDX-License-Identifier: ISC */
/*
 * The join socket, on which the program `join` redeems invites: RunDir-join/socket, in a directory
 * root:_tunnel-join 0750, itself 0660 of that group. Nothing but joining needs it, so leased starts
 * without it, and says what to do.
 */
#ifndef TUNLEASE_LEASED_JOIN_SOCKET_H
#define TUNLEASE_LEASED_JOIN_SOCKET_H

struct conf;

/* Opens it; as root, makes its directory. Returns the socket, non-blocking and listening; or -1,
 * logged. */
int join_socket_open(const struct conf *conf);

/* Takes the one that leased-join.socket passed, and checks who may connect. Returns fd,
 * non-blocking; or -1, logged, and fd is closed. */
int join_socket_take(const struct conf *conf, int fd);

/* systemd passed other sockets and not this one. Logs what to do, if JoinLogin is set. */
void join_socket_warn_none_passed(const struct conf *conf);

#endif
