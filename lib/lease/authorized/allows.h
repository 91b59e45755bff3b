/* SPDX-License-Identifier: ISC */
/* What sshd allows by a line of authorized_keys, as far as its configuration does. Pure. */
#ifndef TUNLEASE_LEASE_AUTHORIZED_ALLOWS_H
#define TUNLEASE_LEASE_AUTHORIZED_ALLOWS_H

#include "lib/lease/authorized/authorized.h"

#include <stdbool.h>
#include <stdint.h>

/* True if sshd passes on `-L ...:HOST:PORT`, `-W` or a -D of it; host as the client sends it. */
bool authorized_allows_open(const struct authorized_line *l, const char *host, unsigned port);

/* True if sshd lets `-R HOST:PORT:...` be bound; host as the client sends it: "localhost" for
 * `-R PORT`, "" for `-R :PORT` and `-R *:PORT`. Which address is bound, GatewayPorts decides. */
bool authorized_allows_listen(const struct authorized_line *l, const char *host, unsigned port);

/* True if -L, or -R, is open to any host and port. */
bool authorized_opens_any(const struct authorized_line *l);
bool authorized_listens_any(const struct authorized_line *l);

/* True for a permit that is there only because an absent one would open everything: port 1 of a
 * loopback address, 255.255.255.255:1, and a host to listen on that no request can match. */
bool authorized_permit_is_sentinel(const struct authorized_permit *p, bool listen);

/* True if no request can match it: patterns in permitopen, capitals in permitlisten. */
bool authorized_permit_is_void(const struct authorized_permit *p, bool listen);

/* True if the line no longer admits at now_s. */
bool authorized_line_is_over(const struct authorized_line *l, int64_t now_s);

#endif
