/* SPDX-License-Identifier: ISC */
/* Makes a lease of an invite, and spends it: both within a savepoint of the caller's transaction.
 */
#ifndef TUNLEASE_LEASED_REQUESTS_JOIN_LEASE_H
#define TUNLEASE_LEASED_REQUESTS_JOIN_LEASE_H

#include "leased/requests/joining.h"
#include "lib/store/store.h"

#include <stdint.h>

/* When the lease of the invite ends if it is joined now. */
int64_t join_lease_end_s(const struct joining *j);

/*
 * Spends the invite for a new lease or, if it replaces, for the agent of that name with this key in
 * place of its own. Answers in j->ret: joined; or a refusal, with nothing changed. Anything but
 * STORE_OK: the store failed, and the caller rolls back.
 */
enum store_rc join_lease_take(struct joining *j);

/* For the same answer again: gives a private host a new secret, if it has not used the one of
 * before. */
enum store_rc join_lease_secret_again(struct joining *j, const char *name);

#endif
