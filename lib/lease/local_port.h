/* SPDX-License-Identifier: ISC */
/* Which port each ssh -L of one command line listens on at the holder's end. Pure. */
#ifndef TUNLEASE_LEASE_LOCAL_PORT_H
#define TUNLEASE_LEASE_LOCAL_PORT_H

#include <stddef.h>
#include <stdint.h>

/*
 * remote: the ports to forward to, none of them 0; at most 16384, so that a port is left for each.
 * ret has as many, all different and none below 1024, where only root may listen. The first of
 * several equal ports keeps its number, or has LOCAL_PORT_SHIFT more where it is below 1024. Each
 * other one gets the next port that no other forward of the line would keep.
 */
enum { LOCAL_PORT_SHIFT = 10000 };
void local_ports_assign(const uint16_t *remote, size_t count, uint16_t *ret);

#endif
