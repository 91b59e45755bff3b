/* SPDX-License-Identifier: ISC */
/* Whether the session of this key may open. */
#ifndef TUNLEASE_PAM_TUNNEL_ADMIT_H
#define TUNLEASE_PAM_TUNNEL_ADMIT_H

#include "pam_tunnel/args.h"
#include "pam_tunnel/membership.h"

#include <security/pam_modules.h>

/* Returns PAM_SUCCESS or PAM_PERM_DENIED, and logs it. May not return: a refused connection is
 * ended by a signal to this process. */
int admit_open(pam_handle_t *pamh, const struct module_args *args,
               const struct tunnel_login *login);

/* Removes the entry that admit_open made. May be called again. */
void admit_close(pam_handle_t *pamh);

#endif
