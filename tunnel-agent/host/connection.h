/* SPDX-License-Identifier: ISC */
/* The TCP connection of an ssh, and what the kernel counts on it. Known on Linux only. */
#ifndef TUNLEASE_AGENT_HOST_CONNECTION_H
#define TUNLEASE_AGENT_HOST_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum connection_carrier {
    CARRIER_UNKNOWN,
    CARRIER_SSH,    /* an ssh has the connection: ours, or the one of a jump host */
    CARRIER_PLUGIN, /* another program (ProxyCommand): others' data may be on it as well */
};

/* The TCP connection that a process of this group has, where it has one: right after its login that
 * is ssh's own, later it may be one that it forwards. 0: not known. */
unsigned long connection_find(pid_t group, enum connection_carrier *ret_carrier);

/* What the kernel knows of that connection. False: nothing, or it is gone. */
struct connection_traffic {
    int64_t silent_ms;    /* since the last segment came in, be it a mere acknowledgement */
    int64_t acked_bytes;  /* by the other side */
    int64_t unsent_bytes; /* written here, and not acknowledged yet */
    int64_t read_bytes;   /* received, and read by the program here */
    uint32_t sent_again;  /* segments, since it began: the path loses some, or is dead */
};
bool connection_read_traffic(unsigned long connection, struct connection_traffic *ret);

#endif
