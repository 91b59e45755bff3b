/* SPDX-License-Identifier: ISC */
/* The store as verbs open it, and what they ask it alike. */
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
 * Opens the store as its directory's owner (privilege.h); ctl_close gives both back. To write,
 * what is missing is made: as root the directory with the owners and modes of docs/design.md 10.
 * EXIT_DONE, or the exit code with the error printed.
 */
int ctl_open_read(struct ctl *ctl);
int ctl_open_write(struct ctl *ctl);
void ctl_close(struct ctl *ctl);
int ctl_store_error(const struct ctl *ctl, enum store_rc rc); /* prints; EXIT_STORE */

/* NAME, or #17. EXIT_DONE and *ret, to be released; or the exit code, printed. */
int ctl_find_lease(struct ctl *ctl, const char *ref, struct lease *ret);

/* Whether leased holds its lock on this store. */
bool ctl_leased_is_running(const struct ctl *ctl);

/* How long a freed port is kept for its former holder: for ever, within an hour after the clock was
 * set, since what has ended by a clock like that may not have. With the store open. */
int64_t ctl_quarantine_s(const struct ctl *ctl);
/* To be added where that left none: "" in other times. */
const char *ctl_quarantine_note(const struct ctl *ctl);

#endif
