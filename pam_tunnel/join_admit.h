/* SPDX-License-Identifier: ISC */
/* Admits or refuses a connection of JoinLogin in sshd. */
#ifndef TUNLEASE_PAM_TUNNEL_JOIN_ADMIT_H
#define TUNLEASE_PAM_TUNNEL_JOIN_ADMIT_H

#include "pam_tunnel/args.h"
#include "pam_tunnel/membership.h"

#include <security/pam_modules.h>

/* Registers the connection with its key (lib/session/join_session.h), so that leased can tell who
 * redeems an invite, and ends it in time. Returns PAM_SUCCESS, or PAM_PERM_DENIED where too many
 * stand or it cannot be told how many, and logs which. May not return: connection_end. */
int join_admit(pam_handle_t *pamh, const struct module_args *args,
               const struct tunnel_login *login);

#endif
