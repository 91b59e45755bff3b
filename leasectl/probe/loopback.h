/* SPDX-License-Identifier: ISC */
/* TCP sockets on 127.0.0.1. */
#ifndef TUNLEASE_LEASECTL_PROBE_LOOPBACK_H
#define TUNLEASE_LEASECTL_PROBE_LOOPBACK_H

#include <stdbool.h>
#include <stdint.h>

/* A TCP port of 127.0.0.1 that nothing uses now; 0 when there is none. */
uint16_t loopback_free_port(void);

/* A socket that is bound to port; 0: to any free port. *ret_port is the port that it has. -1 with
 * errno set. */
int loopback_socket(uint16_t port, bool listening, uint16_t *ret_port);

/* A connection to this port. -1: nobody listens there. */
int loopback_connect(uint16_t port);

#endif
