/* SPDX-License-Identifier: ISC */
/* Frozen logins: nobody is admitted to them, whatever leases there are. */
#ifndef TUNLEASE_STORE_FREEZES_H
#define TUNLEASE_STORE_FREEZES_H

#include "lib/store/actor.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

/* login, or "*" for all. STORE_CONFLICT: already frozen. STORE_NONE: not frozen. */
enum store_rc store_freeze(struct store *st, const char *login, const struct store_actor *by);
enum store_rc store_thaw(struct store *st, const char *login, const struct store_actor *by);
enum store_rc store_frozen_since(struct store *st, const char *login, int64_t *ret_since_s);

/* What keeps everybody from a login. */
struct login_freeze {
    bool is_of_all; /* the freeze of all, which is named where both are in force; else its own */
    int64_t since_s;
};
/* STORE_OK: login is frozen, by itself or with all. STORE_NONE: it is not. */
enum store_rc store_login_frozen(struct store *st, const char *login, struct login_freeze *ret);

/* Calls fn for every freeze in force. If fn returns non-zero, the list ends with STORE_FAIL. */
typedef int (*store_freeze_fn)(void *ctx, const char *login, int64_t since_s);
enum store_rc store_freeze_list(struct store *st, store_freeze_fn fn, void *ctx);

#endif
