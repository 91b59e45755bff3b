/* SPDX-License-Identifier: ISC */
/* Which program listens on a local port. Known on Linux only. */
#ifndef TUNLEASE_AGENT_HOST_PORT_HOLDER_H
#define TUNLEASE_AGENT_HOST_PORT_HOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Who listens on this port (any address of it): "python3, pid 123", "" when that is not known. */
void port_holder_describe(uint16_t port, char *out, size_t size);

/* Is it this process that listens on the port, on IPv4? True as well where that is not known. */
bool port_holder_is(pid_t pid, uint16_t port);

#endif
