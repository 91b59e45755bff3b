/* SPDX-License-Identifier: ISC */
/* Opening the store for a verb, and the look-ups that several verbs need. */
#ifndef TUNLEASE_LEASECTL_CTL_STORE_H
#define TUNLEASE_LEASECTL_CTL_STORE_H

#include "leasectl/ctl.h"
#include "lib/lease/lease.h"
#include "lib/store/actor.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct store_actor ctl_actor(const struct ctl *ctl);

/*
 * Opens the store as its directory's owner (lib/base/privilege.h); ctl_close closes it and makes
 * the program root again. ctl_open_write makes a missing directory, as root with the owner and mode
 * of docs/design.md 10; and a missing store, unless leased runs or sessions are up. EXIT_DONE, or
 * the exit code with the error printed. In a rehearsal (leasectl/rehearsal) no store
 * and no directory is made.
 */
int ctl_open_read(struct ctl *ctl);
int ctl_open_write(struct ctl *ctl);
/*
 * As ctl_open_read, but prints nothing: why has the error. It waits for a store only once: after an
 * error of its own, or when a statement took too long before ctl_close, it fails at once.
 */
int ctl_open_read_silently(struct ctl *ctl, char why[static STORE_ERROR_BYTES]);
/*
 * For a restore. ctl_open_to_replace opens an existing store to write, as its owner, and prints
 * nothing: why has the error. STORE_NONE: there is none. ctl_become_owner makes the store's
 * directory and becomes its owner without opening a store, until ctl_close; EXIT_DONE, or the exit
 * code, printed. ctl_store_was_lost, of a store that is missing: leased runs on it, sessions that
 * it admitted are up, or its log is still there.
 */
enum store_rc ctl_open_to_replace(struct ctl *ctl, char why[static STORE_ERROR_BYTES]);
int ctl_become_owner(struct ctl *ctl);
bool ctl_store_was_lost(const struct ctl *ctl);
void ctl_close(struct ctl *ctl);
int ctl_store_error(const struct ctl *ctl, enum store_rc rc); /* prints; EXIT_STORE */

/* ref: NAME or #17. EXIT_DONE and *ret, which the caller releases; or the exit code with the error
 * printed. */
int ctl_find_lease(struct ctl *ctl, const char *ref, struct lease *ret);

/* The directory that the store is in. */
void ctl_store_directory(const struct ctl *ctl, char out[static CONF_PATH_BYTES]);

/* True if leased runs on this store, which its lock shows. False also if that cannot be seen. */
bool ctl_leased_is_running(const struct ctl *ctl);

/* What leased has noted beside the store. False: there is no such note, or it cannot be read. */
struct jump_note;
bool ctl_leased_note(const struct ctl *ctl, struct jump_note *ret);

/* True if the wall clock was set less than an hour ago, as leased has noted beside the store, or if
 * that note cannot be read. */
bool ctl_clock_may_have_jumped(const struct ctl *ctl);

/* How long, in seconds, a freed port is quarantined. For ever within an hour of a clock jump, since
 * by the right time the lease may not have ended. Needs the store open. */
int64_t ctl_quarantine_s(const struct ctl *ctl);
/* To be added to "no port is free": says that a clock jump is why, else "". */
const char *ctl_quarantine_note(const struct ctl *ctl);

#endif
