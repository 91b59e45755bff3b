/* SPDX-License-Identifier: ISC */
/* Who is a tunnel login, and who is JoinLogin. */
#ifndef TUNLEASE_PAM_TUNNEL_MEMBERSHIP_H
#define TUNLEASE_PAM_TUNNEL_MEMBERSHIP_H

#include "lib/session/sight.h"
#include "pam_tunnel/args.h"

#include <security/pam_modules.h>
#include <stdbool.h>
#include <sys/types.h>

struct tunnel_login {
    const char *name; /* PAM_USER, borrowed from pamh */
    uid_t uid;
    bool leases; /* a member of the tunnel group */
    bool joins;  /* a member of the join group */
};

/*
 * SIGHT_IS: the user of pamh is a member of the tunnel group or the join group, and not root; sets
 * *ret. SIGHT_CANNOT_TELL: the lookup of the user or a group failed, which is logged.
 */
enum sight membership_find(pam_handle_t *pamh, const struct module_args *args,
                           struct tunnel_login *ret);

#endif
