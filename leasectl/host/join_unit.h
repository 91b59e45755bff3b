/* SPDX-License-Identifier: ISC */
/* leased-join.socket: systemd holds leased's join socket, where systemd runs leased. */
#ifndef TUNLEASE_LEASECTL_HOST_JOIN_UNIT_H
#define TUNLEASE_LEASECTL_HOST_JOIN_UNIT_H

#include "lib/base/buf.h"

#include <stdbool.h>

#define JOIN_UNIT "leased-join.socket"

/* True where systemd runs leased, now or from the next boot on. Elsewhere leased makes the socket
 * itself. */
bool join_unit_is_wanted(void);

/* True when the unit is enabled; and when systemd runs, and the unit is up. */
bool join_unit_is_enabled(void);
bool join_unit_is_active(void);

/* True where systemd runs: what is enabled can be started. */
bool join_unit_can_start(void);

/* Enables it, and where systemd runs starts it. leased is stopped meanwhile, for it gets its
 * sockets at its start; tunnels stay. 0, or -1 with why in out, as for the next. */
int join_unit_enable(struct buf *out);
int join_unit_disable(struct buf *out);

#endif
