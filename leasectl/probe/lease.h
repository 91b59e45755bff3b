/* SPDX-License-Identifier: ISC */
/* The probe: a lease that verify makes, tries, ends and takes away again. */
#ifndef TUNLEASE_LEASECTL_PROBE_LEASE_H
#define TUNLEASE_LEASECTL_PROBE_LEASE_H

#include "leasectl/ctl.h"
#include "leasectl/probe/greeter.h"
#include "lib/lease/lease.h"

#include <stdbool.h>

struct probe {
    struct ctl *ctl;
    struct lease lease;       /* what is tried; id 0 until it is in the store */
    struct greeter permitted; /* a login without a lease has no service of its own */
    bool wants_listen;        /* the lease has a listen permit: a free port has to stand for it */
    bool has_no_port[LEASE_OPEN_AGENTS_MAX]; /* of the lease's open_agents, by the same index */
};

/* Each returns EXIT_DONE, or the exit code with the error printed. */

/* Gives the probe the login and the permits of this lease. With the store open. */
int probe_copy_lease(struct probe *probe, const char *ref);

/* No lease named: a port within the ceiling of login, with a service of our own where one is free.
 */
int probe_for_login(struct probe *probe, const char *login);

/* Puts it into the store, which is open to write. The caller has set its name, source and end. */
int probe_add(struct probe *probe);

/* In one transaction: the probe is revoked; expired_anew: and leased again to the same key, with an
 * end that has passed. Opens the store and closes it. */
int probe_end(struct probe *probe, bool expired_anew);

/* Revoked and forgotten; what stays is in the audit. Nothing to do when it was never added. */
void probe_remove(struct probe *probe);

/* Stops its service, and releases what it holds. */
void probe_release(struct probe *probe);

#endif
