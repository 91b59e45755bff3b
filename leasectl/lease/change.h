/* SPDX-License-Identifier: ISC */
/* One change of one lease, for set, renew, delete, key and agent reset. */
#ifndef TUNLEASE_LEASECTL_LEASE_CHANGE_H
#define TUNLEASE_LEASECTL_LEASE_CHANGE_H

#include "leasectl/ctl_store.h"
#include "lib/store/actor.h"

/*
 * Finds the lease, calls apply to change it, and commits. All of this is one transaction that holds
 * the store's lock, so that no admin overwrites what another one changes at the same time. apply
 * returns EXIT_DONE to commit (in a rehearsal: to roll back), or else the exit code, after it has
 * printed the error. The store must be open for writing. *ret_before is the lease before the
 * change; the caller releases it in any case.
 */
typedef int (*change_fn)(struct ctl *ctl, const struct lease *l, const struct store_actor *by,
                         void *ctx);
int change_lease(struct ctl *ctl, const char *ref, change_fn apply, void *ctx,
                 struct lease *ret_before);

/* Prints that the lease is revoked for good, and what to do instead. EXIT_CONFLICT. */
int change_refuse_revoked(struct ctl *ctl, const struct lease *l);

/* Reports a committed change (ctl_changed), and prints message; with --json, prints the lease as it
 * is now in place of message. */
int change_print(struct ctl *ctl, int64_t id, const char *message);

/* The same for one of several leases, whose JSON is one array (show/lease.h). items NULL: there is
 * only one. */
int change_print_item(struct ctl *ctl, int64_t id, const char *message, size_t *items);

#endif
