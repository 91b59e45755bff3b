/* SPDX-License-Identifier: ISC */
/* Finds which program listens on a local port. Known on Linux only. */
#ifndef TUNLEASE_AGENT_HOST_PORT_HOLDER_H
#define TUNLEASE_AGENT_HOST_PORT_HOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Describes who listens on port, at any address: "python3, pid 123"; "": not known. */
void port_holder_describe(uint16_t port, char *out, size_t size);

/* True if process pid listens on port over IPv4. Where that cannot be known: true. */
bool port_holder_is(pid_t pid, uint16_t port);

#endif
