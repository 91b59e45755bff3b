/* SPDX-License-Identifier: ISC */
/* Connections of tunnel logins that no registry entry names. */
#ifndef TUNLEASE_LEASECTL_SESSIONS_UNREGISTERED_H
#define TUNLEASE_LEASECTL_SESSIONS_UNREGISTERED_H

#include "leasectl/ctl.h"
#include "lib/base/buf.h"
#include "lib/session/registry.h"
#include "lib/session/sight.h"

#include <stddef.h>

/*
 * Counts the strays: processes of tunnel logins that no registry entry names. Takes up to half a
 * second. SIGHT_IS: there are *ret_count, and their pids are added to pids. SIGHT_IS_NOT: there are
 * none, and *ret_count is 0.
 * SIGHT_CANNOT_TELL: none can be seen, but not all can; errno says why.
 */
enum sight sessions_count_unregistered(struct ctl *ctl, const struct registry *r, struct buf *pids,
                                       size_t *ret_count);

/* Finds those of login, as sessions_count_unregistered does: adds their pids to pids. */
enum sight sessions_find_unregistered(struct ctl *ctl, const struct registry *r, const char *login,
                                      struct buf *pids, size_t *ret_count);

/*
 * Reports the strays of login. They came in while pam_tunnel was not in sshd's stack. Nobody can
 * tell which lease they belong to, and several leases share the login, so none is ended
 * (docs/design.md 9). EXIT_DONE: there are none. EXIT_STILL_UP, with the error printed: some are
 * up, or may be.
 */
int sessions_report_unregistered(struct ctl *ctl, const struct registry *r, const char *login);

#endif
