/* SPDX-License-Identifier: ISC */
/* Listening sockets that systemd opened and passed to us. */
#ifndef TUNLEASE_LEASED_PASSED_SOCKET_H
#define TUNLEASE_LEASED_PASSED_SOCKET_H

#include <stdbool.h>

struct conf;
struct conf_listener;

/* Finds the line of Listen or MetricsListen with the address of fd, and makes fd non-blocking.
 * NULL: logged, with what to do. is_metrics: it comes from leased-metrics.socket, and must be that
 * of MetricsListen. */
const struct conf_listener *passed_socket_match(const struct conf *conf, int fd, bool is_metrics);

#endif
