/* SPDX-License-Identifier: ISC */
/* What systemd knows of the services of this host. */
#ifndef TUNLEASE_LEASECTL_HOST_SYSTEMD_H
#define TUNLEASE_LEASECTL_HOST_SYSTEMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { SYSTEMD_UNIT_BYTES = 256 }; /* the name of a unit */

/* The service whose control group pid is in; "": none. */
void systemd_unit_of(pid_t pid, char unit[static SYSTEMD_UNIT_BYTES]);

/* The service that a socket unit starts for a connection to port. False: there is none. */
bool systemd_unit_for_port(uint16_t port, char unit[static SYSTEMD_UNIT_BYTES]);

/* The path of the program that a service starts. False: it is not known, or longer than path. */
bool systemd_unit_program(const char *unit, char *path, size_t path_bytes);

#endif
