/* SPDX-License-Identifier: ISC */
/* Connections of tunnel logins that are in no entry of the registry. */
#ifndef TUNLEASE_LEASECTL_SESSIONS_UNREGISTERED_H
#define TUNLEASE_LEASECTL_SESSIONS_UNREGISTERED_H

#include "leasectl/ctl.h"
#include "lib/session/registry.h"

#include <stddef.h>

/* How many processes of tunnel logins are in no entry of the registry. Takes up to half a second.
 * SIGHT_IS_NOT: none is, *ret_count is 0; SIGHT_CANNOT_TELL: the same, as far as can be seen; errno
 * says why. */
enum sight sessions_count_unregistered(struct ctl *ctl, const struct registry *r,
                                       size_t *ret_count);

/*
 * What runs as the login and is in no entry came in while pam_tunnel was not in sshd's stack.
 * Nobody can tell whose it is, and several leases share the login: none is ended (docs/design.md
 * 9). EXIT_DONE: there is none; EXIT_STILL_UP, printed: some are up, or nobody can tell.
 */
int sessions_report_unregistered(struct ctl *ctl, const struct registry *r, const char *login);

#endif
