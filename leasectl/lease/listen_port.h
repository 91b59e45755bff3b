/* SPDX-License-Identifier: ISC */
/* The choice of a listen port for a new lease. */
#ifndef TUNLEASE_LEASECTL_LEASE_LISTEN_PORT_H
#define TUNLEASE_LEASECTL_LEASE_LISTEN_PORT_H

#include "leasectl/ctl_store.h"
#include "lib/lease/permit.h"
#include "lib/session/listeners.h"
#include "lib/store/store.h"

/*
 * Picks the first port within AllowListen for login that no lease holds, that no open invite names
 * and that is not in used; host: only of rules for this address; NULL: of any. Within a
 * transaction. STORE_NONE: no port is free. Anything else but STORE_OK: the store could not be
 * asked.
 */
enum store_rc listen_port_pick(struct ctl *ctl, const char *login, const char *host,
                               struct listeners *used, struct permit *ret);

/* Adds the permit to listen on that port of AgentBindHost. EXIT_DONE, or the exit code with the
 * error printed. */
int listen_port_add_agents(struct ctl *ctl, struct lease *l, uint16_t port);

#endif
