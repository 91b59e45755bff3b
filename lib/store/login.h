/* SPDX-License-Identifier: ISC */
/* The login path: what sshd asks of the store by akc, and nothing else. It only reads. */
#ifndef TUNLEASE_STORE_LOGIN_H
#define TUNLEASE_STORE_LOGIN_H

#include "lib/lease/name.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct lease;
struct pubkey;

/*
 * The lease that the key with this fingerprint holds on login, expired or not. STORE_NONE: none,
 * revoked, or the login is frozen. Everything in *ret was checked anew; a row that does not pass is
 * STORE_FAIL. *ret holds id, name, login, open, listen, from, max_sessions and expires_s, to be
 * released.
 */
enum store_rc store_find_key(struct store *st, const char *login, const char *fingerprint,
                             struct lease *ret);

/* Why store_find_key said STORE_NONE, for the log: the newest that was ever held with this key. */
struct store_key_history {
    int64_t lease_id;
    char lease[LEASE_NAME_BYTES];
    bool other_login;
    bool revoked;
    int64_t expires_s;
};
enum store_rc store_key_history(struct store *st, const char *login, const char *fingerprint,
                                struct store_key_history *ret);

/* STORE_OK: a lease of this login that was revoked had the key. STORE_NONE: none. */
enum store_rc store_key_was_held(struct store *st, const char *login, const char *fingerprint);

/* What the login path says of a key, in the words of the log (akc(8)). */
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
 * The one judgement: akc prints a line for KEY_ADMITTED and logs the others, leasectl explain says
 * them to a person. *ret_lease is set when KEY_ADMITTED, and to be released; history when it is any
 * other but KEY_NO_LEASE.
 */
struct key_judgement {
    enum key_verdict verdict;
    struct store_key_history history;
};
enum store_rc store_judge_key(struct store *st, const char *login, const char *fingerprint,
                              int64_t now_s, struct key_judgement *ret, struct lease *ret_lease);

/* Calls fn for every active lease and key of the login; fn's non-zero result ends it: STORE_FAIL.
 */
typedef int (*store_login_key_fn)(void *ctx, const struct lease *l, const struct pubkey *key);
enum store_rc store_login_keys(struct store *st, const char *login, int64_t now_s,
                               store_login_key_fn fn, void *ctx);

#endif
