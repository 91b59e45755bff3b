/* SPDX-License-Identifier: ISC */
/*
 * Agents reach leased through their own tunnels, on the one port that their leases let them open.
 * When Listen has moved (which takes a restart), the leases are updated: at the start, and with
 * each walk for what could not be done then. A live session loses nothing: its lease has both ports
 * until it ends.
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

/* All lent. */
struct control_port {
    const struct conf *conf;
    const struct open_store *open_store;
    const struct sessions *sessions;
    struct roster *roster;
};

/* Updates all leases, in a transaction of its own. Failure is logged. */
void control_port_update_all(const struct control_port *c);

/* Within the caller's transaction: updates one lease, or those of a range. */
enum store_rc control_port_update_lease(const struct control_port *c, int64_t id,
                                        const struct store_actor *by);
enum store_rc control_port_update_range(const struct control_port *c,
                                        const struct lease_range *range,
                                        const struct store_actor *by);

#endif
