/* SPDX-License-Identifier: ISC */
/*
 * Invites: whoever has the code of one gets the lease of its terms, once, by joining over ssh with
 * a key of his own (leasectl(1), invite). They are rows of the table of tokens, and no call of
 * tokens.h finds one. Calls that change something run between store_begin and store_commit, and
 * write an audit row.
 */
#ifndef TUNLEASE_STORE_INVITES_H
#define TUNLEASE_STORE_INVITES_H

#include "lib/base/secret.h"
#include "lib/store/actor.h"
#include "lib/store/conflict.h"
#include "lib/store/invite.h"
#include "lib/store/store.h"

#include <stdint.h>

enum {
    INVITE_REPEAT_S = 600, /* so long the key that spent an invite gets the same answer again */
    INVITE_KEPT_S = 86400, /* so long one that was spent, or is over, stays to be looked at */
};

/*
 * Of *i the id and all from created_s on but expires_s are ignored. STORE_CONFLICT: the name is
 * taken by a lease, unless i->replaces, or by an open invite. That an agent may be replaced is for
 * the caller to check.
 */
enum store_rc store_invite_add(struct store *st, const struct invite *i,
                               const uint8_t hash[static SECRET_HASH_BYTES],
                               const struct store_actor *by, int64_t *ret_id,
                               struct store_conflict *ret_conflict);

/* Those that are spent or over, too. STORE_NONE: there is no such code. Release *ret. */
enum store_rc store_invite_find(struct store *st, const uint8_t hash[static SECRET_HASH_BYTES],
                                struct invite *ret);

/*
 * A lease is added between these two, in one transaction. store_invite_use takes the one use, so
 * that the name is no longer kept from the lease; STORE_NONE: no use is left. store_invite_spend
 * notes by which key and into which lease, and writes the audit row.
 */
enum store_rc store_invite_use(struct store *st, int64_t id, const struct store_actor *by);
enum store_rc store_invite_spend(struct store *st, int64_t id, int64_t lease_id,
                                 const char *fingerprint, const struct store_actor *by);

/* The oldest first. */
typedef int (*store_invite_fn)(void *ctx, const struct invite *i);
enum store_rc store_invite_list(struct store *st, store_invite_fn fn, void *ctx);

/* Deletes it, spent or not: the lease of a spent one stays. STORE_NONE: there is none. */
enum store_rc store_invite_revoke(struct store *st, int64_t id, const struct store_actor *by);

/* STORE_OK: an open invite, *ret_id, reserves the name now. STORE_NONE: none does. */
enum store_rc store_invite_of_name(struct store *st, const char *name, int64_t now_s,
                                   int64_t *ret_id);

/* Calls fn with each port that the terms of open invites name: who joins is to get it. */
typedef void (*store_port_fn)(void *ctx, uint16_t port);
enum store_rc store_invite_ports(struct store *st, int64_t now_s, store_port_fn fn, void *ctx);

/* For akc --join. STORE_OK: an invite is open, or this key spent one within INVITE_REPEAT_S.
 * STORE_NONE: neither. */
enum store_rc store_invite_admits(struct store *st, const char *fingerprint, int64_t now_s);

/* Deletes those that were spent, or over, INVITE_KEPT_S ago. Writes one audit row if there are any.
 */
enum store_rc store_invite_prune(struct store *st, const struct store_actor *by);

#endif
