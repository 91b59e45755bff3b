/* SPDX-License-Identifier: ISC */
/* Tokens that admit agents without a lease. Calls that change something run between store_begin and
 * store_commit. */
#ifndef TUNLEASE_STORE_TOKENS_H
#define TUNLEASE_STORE_TOKENS_H

#include "lib/base/secret.h"
#include "lib/lease/name.h"
#include "lib/store/actor.h"
#include "lib/store/store.h"

#include <stdint.h>

struct token {
    int64_t id;
    char name[LEASE_NAME_BYTES]; /* the only agent it admits; "": any */
    int64_t uses_left;
    int64_t created_s, expires_s;
};

enum store_rc store_token_add(struct store *st, const struct token *t,
                              const uint8_t hash[static SECRET_HASH_BYTES],
                              const struct store_actor *by, int64_t *ret_id);
enum store_rc store_token_find(struct store *st, const uint8_t hash[static SECRET_HASH_BYTES],
                               struct token *ret);
enum store_rc store_token_use(struct store *st, int64_t id); /* STORE_NONE: no use is left */
enum store_rc store_token_revoke(struct store *st, int64_t id, const struct store_actor *by);
typedef int (*store_token_fn)(void *ctx, const struct token *t);
enum store_rc store_token_list(struct store *st, store_token_fn fn, void *ctx);

#endif
