/* SPDX-License-Identifier: ISC */
/* What an account may do on this host beyond being itself. */
#ifndef TUNLEASE_LEASECTL_HOST_ACCOUNT_RIGHTS_H
#define TUNLEASE_LEASECTL_HOST_ACCOUNT_RIGHTS_H

#include "lib/session/sight.h"

#include <stdbool.h>

struct buf;

/* Calls fn with each group of login whose members are as good as root, or read what only root
 * should; primary: it is login's own group. */
typedef void (*account_group_fn)(void *ctx, const char *group, bool primary);
void account_strong_groups(const char *login, account_group_fn fn, void *ctx);

/* Whether sudo(8) lets login run anything. SIGHT_IS_NOT also where there is no sudo.
 * SIGHT_CANNOT_TELL: says is why. */
enum sight account_may_sudo(const char *login, struct buf *says);

#endif
