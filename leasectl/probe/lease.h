/* SPDX-License-Identifier: ISC */
/* The probe: a lease that verify makes, tries, ends and deletes. */
#ifndef TUNLEASE_LEASECTL_PROBE_LEASE_H
#define TUNLEASE_LEASECTL_PROBE_LEASE_H

#include "leasectl/ctl.h"
#include "leasectl/probe/greeter.h"
#include "lib/lease/lease.h"

#include <stdbool.h>

/* Nobody can use the key of a verify that was killed for longer than this. */
enum { PROBE_TTL_S = 60 };

struct probe {
    struct ctl *ctl;
    struct lease lease;       /* what is tried; id 0 until it is in the store */
    struct greeter permitted; /* our service on the permitted port, when no lease is named */
    bool wants_listen;        /* the lease has a listen permit, which is tried on another port */
    bool has_no_port[LEASE_OPEN_AGENTS_MAX]; /* by the index of lease.open_agents: that agent has
                                                none now */
};

/* Each returns EXIT_DONE, or the exit code with the error printed. */

/* Gives the probe the login and the permits of this lease. The store must be open. */
int probe_copy_lease(struct probe *probe, const char *ref);

/* For a verify that names no lease: gives the probe the login, and one permit within its ceiling.
 * If the port of an open permit is free, starts a service of our own on it. */
int probe_for_login(struct probe *probe, const char *login);

/* Adds the probe to the store, which must be open to write. The caller has set its name, from and
 * end. It gets a negative number (lib/store/probes.h). */
int probe_add(struct probe *probe);

/* Gives the probe another PROBE_TTL_S when half of it is over. The store must be closed. */
int probe_keep(struct probe *probe);

/* Revokes the probe; or, with expired_anew, replaces it by a lease to the same key whose end has
 * passed, in one transaction. Opens the store and closes it. */
int probe_end(struct probe *probe, bool expired_anew);

/* Revokes and deletes the probe; the audit keeps what was done. Does nothing when it was never
 * added. */
void probe_remove(struct probe *probe);

/* Stops its service, and releases its memory. */
void probe_release(struct probe *probe);

#endif
