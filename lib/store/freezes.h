/* SPDX-License-Identifier: ISC */
/* Logins that nobody is let in on, whatever leases they have. */
#ifndef TUNLEASE_STORE_FREEZES_H
#define TUNLEASE_STORE_FREEZES_H

#include "lib/store/actor.h"
#include "lib/store/store.h"

#include <stdint.h>

/* login, or "*" for all. STORE_CONFLICT: it is frozen already; STORE_NONE: it is not frozen. */
enum store_rc store_freeze(struct store *st, const char *login, const struct store_actor *by);
enum store_rc store_thaw(struct store *st, const char *login, const struct store_actor *by);
enum store_rc store_frozen_since(struct store *st, const char *login, int64_t *ret_since_s);

/* Every freeze in force. fn's non-zero result ends it: STORE_FAIL. */
typedef int (*store_freeze_fn)(void *ctx, const char *login, int64_t since_s);
enum store_rc store_freeze_list(struct store *st, store_freeze_fn fn, void *ctx);

#endif
