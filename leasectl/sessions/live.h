/* SPDX-License-Identifier: ISC */
/* Live sessions after a change: what is no longer allowed is ended, and seen to end. */
#ifndef TUNLEASE_LEASECTL_SESSIONS_LIVE_H
#define TUNLEASE_LEASECTL_SESSIONS_LIVE_H

#include "leasectl/ctl.h"
#include "lib/session/registry.h"
#include "lib/session/session_list.h"

struct lease;

/* What clearing entries of the dead may take of a command's time. */
enum { LIVE_CLEAR_MS = 1000 };

/* Whose sessions a change could have outlawed. */
struct live_scope {
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
int live_enforce(struct ctl *ctl, const struct live_scope *scope);

/*
 * A lease has got a key. A login with it that is on its way may hold the permits of the revoked
 * lease that had the key before: such a one is ended, as by a change that narrows. begun_s: when
 * the lease had it not yet. The store is open; it is closed when there is something to do. As
 * live_enforce.
 */
int live_new_holder(struct ctl *ctl, const struct lease *l, const char *fingerprint,
                    int64_t begun_s);

/* Ends these sessions, whatever the store says; list is released. As live_enforce. */
int live_end(struct ctl *ctl, struct session_list *list);

/* How many processes of tunnel logins are in no entry of the registry. Takes up to half a second.
 * SIGHT_IS_NOT: none is, *ret_count is 0; SIGHT_CANNOT_TELL: the same, as far as can be seen; errno
 * says why. */
enum sight live_unregistered(struct ctl *ctl, const struct registry *r, size_t *ret_count);

/* Opens the registry; EXIT_DONE or the exit code, printed. */
int live_open(struct ctl *ctl, bool for_writing, struct registry *ret);

/* What RunDir still holds of a lease that was deleted. */
void live_forget(struct ctl *ctl, int64_t lease_id);

/* How many live sessions a lease has, or -1 when it cannot be told. Reads the registry once a run.
 */
int64_t live_count(struct ctl *ctl, int64_t lease_id);

#endif
