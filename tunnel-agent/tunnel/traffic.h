/* SPDX-License-Identifier: ISC */
/* What ssh's own TCP connection carries, as the kernel tells. */
#ifndef TUNLEASE_AGENT_TUNNEL_TRAFFIC_H
#define TUNLEASE_AGENT_TUNNEL_TRAFFIC_H

#include <stdbool.h>
#include <stdint.h>

struct settings;

struct traffic {
    int64_t acked_bytes, read_bytes; /* when last asked */
    int64_t moved_ms;                /* when that had last grown, or the look began */
};

/* connection: connection_find's. */

/* Has ssh's connection carried more than questions of ours since this was asked last? What the
 * other side has acknowledged tells something only while more is waiting: our question is in that
 * queue. What comes in counts once it is read here, for the kernel takes it in for a program that
 * is frozen, too. */
bool traffic_has_moved(struct traffic *t, unsigned long connection);

/* For how long the connection may still be without any segment before it counts as dead; not
 * positive: it does, or nothing is known. */
int64_t traffic_silence_left_ms(unsigned long connection, const struct settings *s);

#endif
