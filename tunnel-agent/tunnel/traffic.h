/* SPDX-License-Identifier: ISC */
/* What ssh's own TCP connection carries, from the kernel's counters. */
#ifndef TUNLEASE_AGENT_TUNNEL_TRAFFIC_H
#define TUNLEASE_AGENT_TUNNEL_TRAFFIC_H

#include <stdbool.h>
#include <stdint.h>

struct settings;

struct traffic {
    int64_t acked_bytes, read_bytes; /* at the last call */
    int64_t moved_ms;                /* when they last grew, or the probe began */
};

/* connection: of connection_find. */

/* True if ssh's connection has carried more than our own probes since the last call. Bytes that the
 * peer acknowledged count only while more are unsent, because then our probe waits in that queue.
 * Bytes received count once ssh has read them: the kernel receives them for a frozen program as
 * well. */
bool traffic_has_moved(struct traffic *t, unsigned long connection);

/* How much longer the connection may receive no segment before it counts as dead. 0 or less: it is
 * dead, or nothing is known. */
int64_t traffic_silence_left_ms(unsigned long connection, const struct settings *s);

#endif
