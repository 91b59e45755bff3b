/* SPDX-License-Identifier: ISC */
/* The login path: what sshd asks the store through akc. It only reads. */
#ifndef TUNLEASE_STORE_LOGIN_H
#define TUNLEASE_STORE_LOGIN_H

#include "lib/lease/name.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct lease;
struct pubkey;

/*
 * Finds the lease that has this key on login, expired or not. STORE_NONE: there is none, it is
 * revoked, or the login is frozen. Every field of *ret was checked; an invalid row is STORE_FAIL.
 * *ret has id, name, login, open, listen, from, max_sessions and expires_s; release it with
 * lease_release.
 */
enum store_rc store_find_key(struct store *st, const char *login, const char *fingerprint,
                             struct lease *ret);

/* Why store_find_key returned STORE_NONE, for the log: the newest lease on this login that has or
 * had the key; if there is none, the newest on another login. STORE_NONE: it never had a lease. */
struct store_key_history {
    int64_t lease_id;
    char lease[LEASE_NAME_BYTES];
    bool other_login;
    bool revoked;
    bool is_copied; /* of KEY_FROZEN: the lease alone is frozen, since a copy of it was seen */
    int64_t expires_s;
};
enum store_rc store_key_history(struct store *st, const char *login, const char *fingerprint,
                                struct store_key_history *ret);

/* STORE_OK: a revoked lease of this login had the key. STORE_NONE: none had it. */
enum store_rc store_key_was_held(struct store *st, const char *login, const char *fingerprint);

/* The verdict of the login path on a key, in the words of the log (akc(8)). */
enum key_verdict {
    KEY_ADMITTED,
    KEY_NO_LEASE,
    KEY_OTHER_LOGIN,
    KEY_REVOKED,
    KEY_EXPIRED,
    KEY_FROZEN,
    KEY_VERDICT__MAX
};
const char *key_verdict_name(enum key_verdict verdict); /* admitted, no_lease, login, ... */

/*
 * The only place that judges a key: akc prints a line for KEY_ADMITTED and logs every other
 * verdict, and leasectl explain tells the admin. *ret_lease is set for KEY_ADMITTED, and must be
 * released; ret->history is set for every other verdict but KEY_NO_LEASE.
 */
struct key_judgement {
    enum key_verdict verdict;
    struct store_key_history history;
};
enum store_rc store_judge_key(struct store *st, const char *login, const char *fingerprint,
                              int64_t now_s, struct key_judgement *ret, struct lease *ret_lease);

/* The verdict on a key at JoinLogin, in the words of the log. */
enum join_verdict { JOIN_ADMITTED, JOIN_NOT_INVITED, JOIN_FROZEN, JOIN_VERDICT__MAX };
const char *join_verdict_name(enum join_verdict verdict); /* admitted, no_invite, frozen */

/* JOIN_ADMITTED: an invite is open, or this key spent one a short time ago and may ask for the
 * answer again (lib/store/invites.h), and neither the login nor all logins are frozen. A store of a
 * version before invites has none. */
enum store_rc store_judge_join(struct store *st, const char *login, const char *fingerprint,
                               int64_t now_s, enum join_verdict *ret);

/* Calls fn for every active lease and key of the login. If fn returns non-zero, the list ends with
 * STORE_FAIL. */
typedef int (*store_login_key_fn)(void *ctx, const struct lease *l, const struct pubkey *key);
enum store_rc store_login_keys(struct store *st, const char *login, int64_t now_s,
                               store_login_key_fn fn, void *ctx);

#endif
