/* SPDX-License-Identifier: ISC */
/*
 * The login path: what akc asks the store. It MUST NOT write, wait for a writer, or return a field
 * that was not checked (row.h).
 */
#include "lib/store/login.h"

#include "lib/lease/lease.h"
#include "lib/store/failure.h"
#include "lib/store/immutable.h"
#include "lib/store/invites.h"
#include "lib/store/open_agents.h"
#include "lib/store/row.h"
#include "lib/store/snapshot.h"
#include "lib/store/statement.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

/* Finds the id of the lease that has this key on this login. */
static enum store_rc find_id(struct store *st, const char *fingerprint, const char *login,
                             int64_t *ret_id)
{
    sqlite3_stmt *s = statement_get(st, STMT_KEY_FIND);
    if (s == NULL)
        return STORE_FAIL;
    bind_text(s, ":fingerprint", fingerprint);
    bind_text(s, ":login", login);
    enum store_rc rc = statement_step(st, s);
    if (rc == STORE_OK)
        *ret_id = sqlite3_column_int64(s, 0);
    statement_done(s);
    return rc;
}

/* A freeze is stored as a lease without a holder: its key row has "!" as fingerprint. */
static enum store_rc find_freeze(struct store *st, const char *login)
{
    static const char freeze[] = "!";
    int64_t id;
    enum store_rc rc = find_id(st, freeze, login, &id);
    return rc == STORE_NONE ? find_id(st, freeze, "*", &id) : rc;
}

/* Reads the lease with that id if it is not revoked; login is that of the key row. */
static enum store_rc find_lease(struct store *st, int64_t id, const char *login, struct lease *ret)
{
    sqlite3_stmt *s = statement_get(st, STMT_LEASE_FIND);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":id", id);
    enum store_rc rc = statement_step(st, s);
    if (rc == STORE_OK)
        rc = row_read_lease(st, s, 0, id, ret);
    if (rc == STORE_OK)
        (void)strlcpy(ret->login, login, sizeof(ret->login));
    statement_done(s);
    if (rc == STORE_OK) {
        rc = open_agents_resolve(st, ret);
        if (rc != STORE_OK)
            lease_release(ret);
    }
    return rc;
}

/* Release *ret whatever is returned. */
static enum store_rc find_key(struct store *st, const char *login, const char *fingerprint,
                              struct lease *ret)
{
    int64_t id;
    enum store_rc rc = find_freeze(st, login);
    if (rc != STORE_NONE)
        return rc == STORE_OK ? STORE_NONE : rc;
    rc = find_id(st, fingerprint, login, &id);
    return rc == STORE_OK ? find_lease(st, id, login, ret) : rc;
}

/* Ends the snapshot. An answer that was read without the log is valid only if the read is still
 * intact. */
static enum store_rc answer_end(struct store *st, enum store_rc rc)
{
    snapshot_end(st);
    return (rc == STORE_OK || rc == STORE_NONE) && !immutable_is_intact(st) ? STORE_FAIL : rc;
}

enum store_rc store_find_key(struct store *st, const char *login, const char *fingerprint,
                             struct lease *ret)
{
    struct lease l = {0};
    enum store_rc rc = snapshot_begin(st);
    if (rc != STORE_OK)
        return rc;
    rc = answer_end(st, find_key(st, login, fingerprint, &l));
    if (rc == STORE_OK)
        *ret = l;
    else
        lease_release(&l);
    return rc;
}

enum store_rc store_key_history(struct store *st, const char *login, const char *fingerprint,
                                struct store_key_history *ret)
{
    struct store_key_history h;
    sqlite3_stmt *s = statement_get(st, STMT_KEY_HISTORY);
    if (s == NULL)
        return STORE_FAIL;
    bind_text(s, ":fingerprint", fingerprint);
    bind_text(s, ":login", login);
    enum store_rc rc = statement_step(st, s);
    if (rc == STORE_OK) {
        h = (struct store_key_history){
            .lease_id = sqlite3_column_int64(s, 0),
            .other_login = strcmp(column_text(s, 2), login) != 0,
            .expires_s = sqlite3_column_int64(s, 3),
            .revoked = sqlite3_column_int64(s, 5) != 1,
        };
        (void)column_copy(s, 1, h.lease, sizeof(h.lease));
        *ret = h;
    }
    statement_done(s);
    return rc;
}

enum store_rc store_key_was_held(struct store *st, const char *login, const char *fingerprint)
{
    sqlite3_stmt *s = statement_get(st, STMT_KEY_WAS_HELD);
    if (s == NULL)
        return STORE_FAIL;
    bind_text(s, ":fingerprint", fingerprint);
    bind_text(s, ":login", login);
    enum store_rc rc = statement_step(st, s);
    statement_done(s);
    return rc;
}

const char *key_verdict_name(enum key_verdict verdict)
{
    static const char *const names[KEY_VERDICT__MAX] = {
        [KEY_ADMITTED] = "admitted", [KEY_NO_LEASE] = "no_lease", [KEY_OTHER_LOGIN] = "login",
        [KEY_REVOKED] = "revoked",   [KEY_EXPIRED] = "expired",   [KEY_FROZEN] = "frozen"};
    return names[verdict];
}

static enum key_verdict refusal(const struct store_key_history *h, int64_t now_s)
{
    if (h->other_login)
        return KEY_OTHER_LOGIN;
    if (h->revoked)
        return KEY_REVOKED;
    return h->expires_s <= now_s ? KEY_EXPIRED : KEY_FROZEN;
}

enum store_rc store_judge_key(struct store *st, const char *login, const char *fingerprint,
                              int64_t now_s, struct key_judgement *ret, struct lease *ret_lease)
{
    struct key_judgement j = {.verdict = KEY_ADMITTED};
    struct lease l = {0};
    enum store_rc rc = snapshot_begin(st);
    if (rc != STORE_OK)
        return rc;
    rc = find_key(st, login, fingerprint, &l);
    if (rc == STORE_NONE ||
        (rc == STORE_OK && (l.is_frozen || lease_state_at(&l, now_s) != LEASE_ACTIVE))) {
        const bool is_copied = rc == STORE_OK && l.is_frozen;
        lease_release(&l);
        l = (struct lease){0};
        rc = store_key_history(st, login, fingerprint, &j.history);
        j.verdict = rc == STORE_OK ? refusal(&j.history, now_s) : KEY_NO_LEASE;
        j.history.is_copied = is_copied && j.verdict == KEY_FROZEN;
    }
    rc = answer_end(st, rc);
    if (rc != STORE_OK && rc != STORE_NONE) {
        lease_release(&l);
        return rc;
    }
    *ret = j;
    *ret_lease = l;
    return STORE_OK;
}

const char *join_verdict_name(enum join_verdict verdict)
{
    static const char *const names[JOIN_VERDICT__MAX] = {
        [JOIN_ADMITTED] = "admitted", [JOIN_NOT_INVITED] = "no_invite", [JOIN_FROZEN] = "frozen"};
    return names[verdict];
}

enum store_rc store_judge_join(struct store *st, const char *login, const char *fingerprint,
                               int64_t now_s, enum join_verdict *ret)
{
    enum join_verdict verdict = JOIN_FROZEN;
    enum store_rc rc = snapshot_begin(st);
    if (rc != STORE_OK)
        return rc;
    rc = find_freeze(st, login);
    if (rc == STORE_NONE) {
        rc = store_invite_admits(st, fingerprint, now_s);
        verdict = rc == STORE_OK ? JOIN_ADMITTED : JOIN_NOT_INVITED;
    }
    rc = answer_end(st, rc);
    if (rc != STORE_OK && rc != STORE_NONE)
        return rc;
    *ret = verdict;
    return STORE_OK;
}

enum store_rc store_login_keys(struct store *st, const char *login, int64_t now_s,
                               store_login_key_fn fn, void *ctx)
{
    sqlite3_stmt *s = statement_get(st, STMT_LOGIN_KEYS);
    enum store_rc rc = s != NULL ? snapshot_begin(st) : STORE_FAIL;
    if (rc != STORE_OK)
        return rc;
    rc = find_freeze(st, login);
    if (rc != STORE_NONE) /* frozen: no key */
        goto out;
    bind_text(s, ":login", login);
    bind_int(s, ":now_s", now_s);
    while ((rc = statement_step(st, s)) == STORE_OK) {
        struct lease l = {0};
        struct pubkey key;
        rc = find_lease(st, sqlite3_column_int64(s, 0), login, &l);
        if (rc == STORE_OK && pubkey_parse(column_text(s, 1), column_text(s, 2), &key) != NULL)
            rc = store_damaged(st, "key", l.id);
        if (rc == STORE_OK && !l.is_frozen && fn(ctx, &l, &key) != 0)
            rc = store_failed_because(st, "stopped by the caller");
        lease_release(&l);
        if (rc != STORE_OK)
            break;
    }
out:
    statement_done(s);
    rc = answer_end(st, rc);
    return rc == STORE_NONE ? STORE_OK : rc;
}
