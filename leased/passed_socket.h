/* SPDX-License-Identifier: ISC */
/* A listening socket that systemd passed. */
#ifndef TUNLEASE_LEASED_PASSED_SOCKET_H
#define TUNLEASE_LEASED_PASSED_SOCKET_H

struct conf;
struct conf_listener;

/* The line of Listen or MetricsListen that names it, and makes the socket non-blocking; or NULL,
 * logged with what to do. */
const struct conf_listener *passed_socket_match(const struct conf *conf, int fd);

#endif
