/* SPDX-License-Identifier: ISC */
/* Admits or refuses a session of a lease in sshd. */
#ifndef TUNLEASE_PAM_TUNNEL_ADMIT_H
#define TUNLEASE_PAM_TUNNEL_ADMIT_H

#include "pam_tunnel/args.h"
#include "pam_tunnel/membership.h"

#include <security/pam_modules.h>

/* Opens the session if its key holds an active lease. Returns PAM_SUCCESS or PAM_PERM_DENIED, and
 * logs which. May not return: to end a refused connection, it sends SIGTERM to this process. */
int admit_open(pam_handle_t *pamh, const struct module_args *args,
               const struct tunnel_login *login);

#endif
