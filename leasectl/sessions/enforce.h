/* SPDX-License-Identifier: ISC */
/* Live sessions after a change: what is no longer allowed is ended, and seen to end. */
#ifndef TUNLEASE_LEASECTL_SESSIONS_ENFORCE_H
#define TUNLEASE_LEASECTL_SESSIONS_ENFORCE_H

#include "leasectl/ctl.h"

#include <stdbool.h>
#include <stdint.h>

struct lease;

/* Whose sessions a change could have outlawed. */
struct enforce_scope {
    const struct lease *lease; /* of this one, with its keys as they were before; NULL: any */
    const char *login;         /* of this login; NULL: any */
    bool narrowed;             /* the change took permits away from a lease that stays */
    int64_t begun_s;           /* narrowed: when it was not yet made */
};

/*
 * Judges every session in scope by the store as it is now, ends those that may not stay, and says
 * how many it ended in how many milliseconds. The store is closed meanwhile, and stays closed.
 * EXIT_DONE; or EXIT_STILL_UP with the pids of what is up after 5 s, or of connections that no
 * entry tells the lease of.
 */
int sessions_enforce(struct ctl *ctl, const struct enforce_scope *scope);

/*
 * A lease has got a key. A login with it that is on its way may hold the permits of the revoked
 * lease that had the key before: such a one is ended, as by a change that narrows. begun_s: when
 * the lease had it not yet. The store is open; it is closed when there is something to do. As
 * sessions_enforce.
 */
int sessions_enforce_new_key(struct ctl *ctl, const struct lease *l, const char *fingerprint,
                             int64_t begun_s);

#endif
