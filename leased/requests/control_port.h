/* SPDX-License-Identifier: ISC */
/*
 * Agents reach us through their own tunnels, on the one port that their leases let them open. When
 * Listen has moved (which takes a restart), the leases follow: at the start, and with each walk for
 * what could not be done then. Nothing that a live session holds is taken from it: its lease has
 * both ports meanwhile.
 */
#ifndef TUNLEASE_LEASED_REQUESTS_CONTROL_PORT_H
#define TUNLEASE_LEASED_REQUESTS_CONTROL_PORT_H

#include "lib/store/actor.h"
#include "lib/store/range.h"
#include "lib/store/store.h"

#include <stdint.h>

struct conf;
struct open_store;
struct roster;
struct sessions;

/* Lent. */
struct control_port {
    const struct conf *conf;
    const struct open_store *open_store;
    const struct sessions *sessions;
    struct roster *roster;
};

/* All leases, in a transaction of its own; what went wrong is logged. */
void control_port_update_all(const struct control_port *c);

/* Within a transaction: one lease, or those of a range. */
enum store_rc control_port_update_lease(const struct control_port *c, int64_t id,
                                        const struct store_actor *by);
enum store_rc control_port_update_range(const struct control_port *c,
                                        const struct lease_range *range,
                                        const struct store_actor *by);

#endif
