/* SPDX-License-Identifier: ISC */
#include "lib/store/prolong.h"

#include "lib/base/buf.h"
#include "lib/lease/lease.h"
#include "lib/store/changes.h"
#include "lib/store/failure.h"
#include "lib/store/freezes.h"
#include "lib/store/lease_add.h"
#include "lib/store/leases.h"
#include "lib/store/note.h"
#include "lib/store/statement.h"
#include "lib/store/terms.h"

#include <string.h>

static enum store_rc refuse(enum prolong_refusal why, enum prolong_refusal *ret_why)
{
    *ret_why = why;
    return STORE_NONE;
}

/* STORE_OK: neither the login nor all is frozen. */
static enum store_rc check_freezes(struct store *st, const char *login,
                                   enum prolong_refusal *ret_why)
{
    struct login_freeze freeze;
    enum store_rc rc = store_login_frozen(st, login, &freeze);
    if (rc == STORE_OK)
        return refuse(PROLONG_FROZEN, ret_why);
    return rc == STORE_NONE ? STORE_OK : rc;
}

/* ---- what a run that was killed has left ---- */

/* The row says what was granted, and a set or a key that was added since is not in it. */
static enum store_rc check_audit(struct store *st, const struct lease *l)
{
    struct lease endless = *l;
    struct buf terms = {0};
    enum store_rc rc = STORE_FAIL;
    endless.expires_s = 0;
    describe_terms(&endless, &terms);
    sqlite3_stmt *s = statement_get(st, STMT_AUDIT_MADE_BY_RUN);
    if (buf_text(&terms) == NULL)
        rc = store_failed_because(st, "out of memory");
    else if (s != NULL) {
        terms.data[--terms.len] = '\0'; /* the 0 of the end, which moved */
        bind_int(s, ":lease_id", l->id);
        bind_int(s, ":created_s", l->created_s);
        bind_text(s, ":fingerprint", l->keys[0].pub.fingerprint);
        rc = bind_buf(st, s, ":terms", &terms);
        if (rc == STORE_OK)
            rc = statement_step(st, s);
        statement_done(s);
    }
    buf_release(&terms);
    return rc;
}

/* STORE_OK: *ret is over, and what a run of this name and key left that could not give it back.
 * Nobody else has changed it, and it is not frozen. STORE_NONE: there is none. */
static enum store_rc find_left(struct store *st, const struct lease *l, int64_t now_s,
                               struct lease *ret)
{
    enum prolong_refusal why;
    enum store_rc rc = store_lease_by_name(st, l->name, ret);
    if (rc != STORE_OK)
        return rc;
    if (ret->revoked_s != 0 || ret->expires_s > now_s || ret->renewed_s != 0 || ret->fixed_end ||
        ret->key_count != 1 || l->key_count != 1 || strcmp(ret->login, l->login) != 0 ||
        strcmp(ret->keys[0].pub.fingerprint, l->keys[0].pub.fingerprint) != 0)
        return STORE_NONE;
    rc = check_freezes(st, l->login, &why);
    return rc == STORE_OK ? check_audit(st, ret) : rc;
}

/* Ends it as that run would have. ret_left->id 0: there is none. */
static enum store_rc revoke_left(struct store *st, const struct lease *l,
                                 const struct store_actor *by, struct lease *ret_left)
{
    *ret_left = (struct lease){.id = 0};
    enum store_rc rc = find_left(st, l, by->now_s, ret_left);
    if (rc == STORE_OK)
        return store_lease_revoke(st, ret_left, false, by);
    lease_release(ret_left);
    *ret_left = (struct lease){.id = 0};
    return rc == STORE_NONE ? STORE_OK : rc;
}

enum store_rc store_lease_run(struct store *st, const struct lease *l, const char *command,
                              int64_t quarantine_s, const struct store_actor *by, int64_t *ret_id,
                              struct lease *ret_left, struct store_conflict *ret_conflict)
{
    struct buf detail = {0};
    int64_t id;
    enum store_rc rc = revoke_left(st, l, by, ret_left);
    if (rc == STORE_OK)
        rc = insert_whole_lease(st, "grant", 0, l, quarantine_s, by, &id, ret_conflict);
    if (rc == STORE_OK) {
        describe_terms(l, &detail);
        buf_addf(&detail, " command=%s", command);
        if (ret_left->id != 0)
            buf_addf(&detail, " instead_of=%lld", (long long)ret_left->id);
        rc = note_change(st, by, "run", id, l, NULL, buf_text(&detail));
    }
    if (rc == STORE_OK)
        *ret_id = id;
    buf_release(&detail);
    return rc;
}

/* ---- another minute ---- */

/* What was granted, but for the end. */
static void describe(const struct lease *l, struct buf *out)
{
    struct lease endless = *l;
    endless.expires_s = 0;
    describe_terms(&endless, out);
    for (size_t i = 0; i < l->key_count; i++)
        buf_addf(out, " %s", l->keys[i].pub.fingerprint);
}

/* STORE_NONE: they differ. */
static enum store_rc compare_terms(struct store *st, const struct lease *a, const struct lease *b)
{
    struct buf text_a = {0}, text_b = {0};
    describe(a, &text_a);
    describe(b, &text_b);
    const char *at_a = buf_text(&text_a), *at_b = buf_text(&text_b);
    enum store_rc rc = STORE_OK;
    if (at_a == NULL || at_b == NULL)
        rc = store_failed_because(st, "out of memory");
    else if (strcmp(at_a, at_b) != 0 || strcmp(a->name, b->name) != 0)
        rc = STORE_NONE;
    buf_release(&text_a);
    buf_release(&text_b);
    return rc;
}

static enum store_rc move_end(struct store *st, const struct lease *as, int64_t expires_s)
{
    sqlite3_stmt *s = statement_get(st, STMT_LEASE_PROLONG);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":id", as->id);
    bind_int(s, ":before_s", as->expires_s);
    bind_int(s, ":expires_s", expires_s);
    return statement_change(st, s);
}

/* STORE_OK: now is the same lease as as, and active as far as it depends on the store. */
static enum store_rc compare(struct store *st, const struct lease *as, const struct lease *now,
                             enum prolong_refusal *ret_why)
{
    if (now->created_s != as->created_s)
        return refuse(PROLONG_DELETED, ret_why); /* a restored store gave its number again */
    if (now->revoked_s != 0)
        return refuse(PROLONG_REVOKED, ret_why);
    if (now->expires_s != as->expires_s)
        return refuse(PROLONG_ANOTHER_END, ret_why);
    enum store_rc rc = compare_terms(st, as, now);
    return rc == STORE_NONE ? refuse(PROLONG_CHANGED, ret_why) : rc;
}

enum store_rc store_lease_may_prolong(struct store *st, const struct lease *as,
                                      enum prolong_refusal *ret_why)
{
    struct lease now = {0};
    enum store_rc rc = store_lease_by_id(st, as->id, &now);
    if (rc == STORE_NONE)
        rc = refuse(PROLONG_DELETED, ret_why);
    else if (rc == STORE_OK)
        rc = compare(st, as, &now, ret_why);
    if (rc == STORE_OK)
        rc = check_freezes(st, as->login, ret_why);
    lease_release(&now);
    return rc;
}

enum store_rc store_lease_prolong(struct store *st, const struct lease *as, int64_t expires_s,
                                  int64_t quarantine_s, int64_t now_s,
                                  enum prolong_refusal *ret_why)
{
    struct store_conflict conflict;
    enum store_rc rc = store_lease_may_prolong(st, as, ret_why);
    if (rc == STORE_OK)
        rc = move_end(st, as, expires_s);
    if (rc == STORE_OK && as->expires_s <= now_s)
        rc = store_ports_reacquire(st, as, quarantine_s, now_s, &conflict);
    return rc;
}
