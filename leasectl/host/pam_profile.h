/* SPDX-License-Identifier: ISC */
/* The PAM profile that puts pam_tunnel.so into the stacks, by pam-auth-update(8). */
#ifndef TUNLEASE_LEASECTL_HOST_PAM_PROFILE_H
#define TUNLEASE_LEASECTL_HOST_PAM_PROFILE_H

#include "leasectl/ctl.h"

struct buf;

#define PAM_TUNNEL_MODULE "pam_tunnel.so"
/* An argument of the module, where JoinLogin is set. */
#define PAM_TUNNEL_JOIN_GROUP "join_group="
#define PAM_PROFILE TUNLEASE_DATADIR "/pam-configs/tunlease"

/* Formats the profile for this configuration: the installed one, with group= and conf= where they
 * are not the defaults, and join_group= where JoinLogin is set. */
void pam_profile_format(const struct ctl *ctl, struct buf *out);

/* Add the line of a stack of this type (auth, account, session), as pam.d(5) wants it; and the
 * module's arguments in it. */
void pam_profile_add_line(const struct ctl *ctl, const char *type, struct buf *out);
void pam_profile_add_arguments(const struct ctl *ctl, struct buf *out);

/* Whether these are they. In a container with a read-only root, whose image is made for joining,
 * join_group= may also be there without JoinLogin: then sshd lets nobody of that group in. */
bool pam_profile_arguments_are_right(const struct ctl *ctl, const char *args);

/* Adds a line for each stack that lacks the module or gives it other arguments; nothing when all
 * are right. */
void pam_profile_check(const struct ctl *ctl, struct buf *out);

/* True when a stack names the module, whoever added it. */
bool pam_profile_is_applied(void);

/* True when every stack has the module, and its file exists. Otherwise sessions get no registry
 * entry. */
bool pam_profile_in_force(const struct ctl *ctl);

/* True when this host has pam-auth-update(8). */
bool pam_profile_can_apply(void);

/* Each returns 0, or -1 with why in out. */
int pam_profile_apply(const struct ctl *ctl, struct buf *out);
int pam_profile_remove(struct buf *out);

#endif
