/* SPDX-License-Identifier: ISC */
/* After a change in the store: ends the live sessions that are no longer allowed. */
#ifndef TUNLEASE_LEASECTL_SESSIONS_ENFORCE_H
#define TUNLEASE_LEASECTL_SESSIONS_ENFORCE_H

#include "leasectl/ctl.h"
#include "leasectl/sessions/affected.h"

#include <stdint.h>

struct lease;

/*
 * Judges every session in scope by the store as it is now, ends those that may not stay, and prints
 * how many it ended in how many milliseconds. Closes ctl's store, and leaves it closed. EXIT_DONE,
 * or the exit code with the error printed: EXIT_STILL_UP with the pids of sessions that are up
 * after SESSIONS_END_MS, or of connections whose lease is unknown since they have no registry
 * entry.
 */
int sessions_enforce(struct ctl *ctl, const struct enforce_scope *scope);

/*
 * To be called after a lease was given a key. A revoked lease may have had the key before, and a
 * login with the key that is under way now may have that lease's permits: it is ended, as after a
 * change that narrowed. begun_s: a time before the lease had the key. The store must be open; it is
 * closed when there is something to do. Returns as sessions_enforce.
 */
int sessions_enforce_new_key(struct ctl *ctl, const struct lease *l, const char *fingerprint,
                             int64_t begun_s);

#endif
