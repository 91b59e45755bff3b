/* SPDX-License-Identifier: ISC */
/* One change of one lease, as set, renew, delete and key make them: found, changed, committed. */
#ifndef TUNLEASE_LEASECTL_LEASE_CHANGE_H
#define TUNLEASE_LEASECTL_LEASE_CHANGE_H

#include "leasectl/ctl_store.h"
#include "lib/store/actor.h"

/*
 * Within a transaction that has the store's lock, so that two admins at once lose nothing: finds
 * the lease, then apply changes it. apply returns EXIT_DONE to have it committed, else the exit
 * code, printed. With the store open to write. *ret_before is the lease as it was, to be released
 * in any case.
 */
typedef int (*change_fn)(struct ctl *ctl, const struct lease *l, const struct store_actor *by,
                         void *ctx);
int change_lease(struct ctl *ctl, const char *ref, change_fn apply, void *ctx,
                 struct lease *ret_before);

/* "revoked is final": EXIT_CONFLICT, with what to do. */
int change_refuse_revoked(struct ctl *ctl, const struct lease *l);

/* After a change: the lease as it is now, printed as show does with --json; else only what
 * `message` says of it. */
int change_print(struct ctl *ctl, int64_t id, const char *message);

/* The same for one of several, into an array (show/lease.h); items NULL: the only one. */
int change_print_item(struct ctl *ctl, int64_t id, const char *message, size_t *items);

#endif
