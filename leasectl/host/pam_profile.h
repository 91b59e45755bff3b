/* SPDX-License-Identifier: ISC */
/* The PAM profile that puts pam_tunnel.so into the stacks, by pam-auth-update(8). */
#ifndef TUNLEASE_LEASECTL_HOST_PAM_PROFILE_H
#define TUNLEASE_LEASECTL_HOST_PAM_PROFILE_H

#include "leasectl/ctl.h"

struct buf;

#define PAM_PROFILE TUNLEASE_DATADIR "/pam-configs/tunlease"

/* The profile for this configuration: the installed one, with group= and conf= where they are not
 * the defaults. */
void pam_profile_format(const struct ctl *ctl, struct buf *out);

/* One finding a line for each stack that lacks the module, or has other arguments; none: applied.
 */
void pam_profile_check(const struct ctl *ctl, struct buf *out);

/* Whether a stack names the module, whoever put it there. */
bool pam_profile_is_applied(void);

/* Whether sshd's stack has the module, and it is there: else logins are in no entry. */
bool pam_profile_in_force(const struct ctl *ctl);

/* Whether this host has pam-auth-update(8) at all. */
bool pam_profile_can_apply(void);

/* 0, or -1 with why in out. */
int pam_profile_apply(const struct ctl *ctl, struct buf *out);
int pam_profile_remove(struct buf *out);

#endif
