/* SPDX-License-Identifier: ISC */
/* The TCP connection of an ssh, and the kernel's counters of it. Known on Linux only. */
#ifndef TUNLEASE_AGENT_HOST_CONNECTION_H
#define TUNLEASE_AGENT_HOST_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum connection_carrier {
    CARRIER_UNKNOWN,
    CARRIER_SSH,    /* an ssh has the connection: ours, or a jump host's */
    CARRIER_PLUGIN, /* a ProxyCommand has it, perhaps shared with others */
};

/* The inode of the TCP connection that a process of this group has; 0: not known. Call it right
 * after the login: later it may be a connection that ssh forwards. */
unsigned long connection_find(pid_t group, enum connection_carrier *ret_carrier);

/* Reads the counters of a connection of connection_find. False: not known, or the connection is
 * gone. */
struct connection_traffic {
    int64_t silent_ms;    /* since the last segment arrived, if only an acknowledgement */
    int64_t acked_bytes;  /* sent, and acknowledged by the peer */
    int64_t unsent_bytes; /* written by ssh, and not acknowledged yet */
    int64_t read_bytes;   /* received, and read by ssh */
    uint32_t sent_again;  /* segments retransmitted since it began */
};
bool connection_read_traffic(unsigned long connection, struct connection_traffic *ret);

#endif
