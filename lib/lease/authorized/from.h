/* SPDX-License-Identifier: ISC */
/* The value of from=. Pure. */
#ifndef TUNLEASE_LEASE_AUTHORIZED_FROM_H
#define TUNLEASE_LEASE_AUTHORIZED_FROM_H

#include <stdbool.h>

/* Why the list admits nobody, a clause; NULL: it may admit somebody. */
const char *authorized_from_problem(const char *list);

/* True if a word of it can match a name alone, which sshd asks DNS for, with UseDNS. */
bool authorized_from_has_name(const char *list);

/* True if every address matches it. */
bool authorized_from_is_any(const char *list);

#endif
