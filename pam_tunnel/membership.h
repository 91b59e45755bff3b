/* SPDX-License-Identifier: ISC */
/* Who is a tunnel login. */
#ifndef TUNLEASE_PAM_TUNNEL_MEMBERSHIP_H
#define TUNLEASE_PAM_TUNNEL_MEMBERSHIP_H

#include "lib/session/sight.h"
#include "pam_tunnel/args.h"

#include <security/pam_modules.h>
#include <sys/types.h>

struct tunnel_login {
    const char *name; /* PAM_USER, borrowed from pamh */
    uid_t uid;
};

/*
 * SIGHT_IS: the user of pamh is a member of the tunnel group and not root; sets *ret.
 * SIGHT_CANNOT_TELL: the lookup of the user or the group failed, which is logged.
 */
enum sight membership_is_tunnel_login(pam_handle_t *pamh, const struct module_args *args,
                                      struct tunnel_login *ret);

#endif
