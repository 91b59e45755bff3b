/* SPDX-License-Identifier: ISC */
/* What the store keeps by a number, and an admin takes back by it: tokens, invites. */
#ifndef TUNLEASE_LEASECTL_LEASE_NUMBERED_H
#define TUNLEASE_LEASECTL_LEASE_NUMBERED_H

#include "leasectl/ctl_store.h"
#include "lib/base/buf.h"
#include "lib/store/actor.h"

#include <stdint.h>

struct numbered {
    const char *noun; /* "token": for messages, and its list is `leasectl NOUN list` */
    /* STORE_NONE: there is none with that number. Runs within a transaction. */
    enum store_rc (*revoke)(struct store *st, int64_t id, const struct store_actor *by);
    /* What stays when it is revoked, as a sentence for people; adds nothing if nothing does. Runs
     * before revoke, within its transaction. NULL: nothing ever does. */
    enum store_rc (*stays)(struct store *st, int64_t id, struct buf *out);
};

/* Revokes the one that ref names, a number or #NUMBER. Returns EXIT_DONE, or the exit code with the
 * error printed. Opens the store for writing. */
int numbered_revoke(struct ctl *ctl, const struct numbered *kind, const char *ref);

#endif
