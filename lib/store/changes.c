/* SPDX-License-Identifier: ISC */
/*
 * Every change of a lease. Each appends its audit row, and all run within the caller's transaction:
 * the change and its row are there together or not at all.
 */
#include "lib/store/changes.h"

#include "lib/base/buf.h"
#include "lib/lease/lease.h"
#include "lib/store/audit.h"
#include "lib/store/ports.h"
#include "lib/store/statement.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>

/* ---- pieces ---- */

/* Runs a statement that takes :id and perhaps :now_s. */
static enum store_rc run_on(struct store *st, enum stmt_id stmt, int64_t id, int64_t now_s)
{
    sqlite3_stmt *s = statement_get(st, stmt);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":id", id);
    if (sqlite3_bind_parameter_index(s, ":now_s") != 0)
        bind_int(s, ":now_s", now_s);
    return statement_change(st, s);
}

static const char *first_fingerprint(const struct lease *l)
{
    return l->key_count > 0 ? l->keys[0].pub.fingerprint : "";
}

enum store_rc note_change(struct store *st, const struct store_actor *by, const char *action,
                          int64_t id, const struct lease *l, const char *fingerprint,
                          const char *detail)
{
    const struct audit_entry entry = {.action = action,
                                      .lease_id = id,
                                      .lease = l->name,
                                      .fingerprint = fingerprint,
                                      .detail = detail};
    return audit_append(st, by, &entry);
}

/* The columns that grant and set have in common. What they are bound to must outlive the step. */
struct terms {
    struct buf open, listen, sources;
};

static enum store_rc bind_terms(struct store *st, sqlite3_stmt *s, const struct lease *l,
                                struct terms *t)
{
    lease_open_format(l, &t->open);
    permit_list_format(&l->listen, &t->listen);
    source_list_format(&l->from, &t->sources);
    bind_int(s, ":max_sessions", l->max_sessions);
    bind_text(s, ":note", l->note);
    if (bind_buf(st, s, ":open", &t->open) != STORE_OK ||
        bind_buf(st, s, ":listen", &t->listen) != STORE_OK ||
        bind_buf(st, s, ":sources", &t->sources) != STORE_OK)
        return STORE_FAIL;
    return STORE_OK;
}

static void release_terms(struct terms *t)
{
    buf_release(&t->open);
    buf_release(&t->listen);
    buf_release(&t->sources);
}

/* What was granted, as the audit keeps it. */
static void describe(const struct lease *l, struct buf *out)
{
    buf_addf(out, "login=%s open=", l->login);
    lease_open_format(l, out);
    buf_add(out, " listen=");
    permit_list_format(&l->listen, out);
    buf_add(out, " from=");
    source_list_format(&l->from, out);
    buf_addf(out, " max_sessions=%u expires_s=%lld", l->max_sessions, (long long)l->expires_s);
}

/* Fills *ret from the lease that has the name or key already. */
static void name_conflict(struct store *st, const struct lease *l, int64_t now_s,
                          struct store_conflict *ret)
{
    struct lease other = {0};
    *ret = (struct store_conflict){.what = CONFLICT_NAME};
    (void)strlcpy(ret->lease, l->name, sizeof(ret->lease));
    if (store_lease_by_name(st, l->name, &other) != STORE_OK)
        return;
    ret->lease_id = other.id;
    ret->expired = other.expires_s <= now_s;
    lease_release(&other);
}

static void key_conflict(struct store *st, const struct lease *l, const struct pubkey *key,
                         int64_t now_s, struct store_conflict *ret)
{
    sqlite3_stmt *s = statement_get(st, STMT_KEY_HOLDER);
    *ret = (struct store_conflict){.what = CONFLICT_KEY};
    if (s == NULL)
        return;
    bind_text(s, ":fingerprint", key->fingerprint);
    bind_text(s, ":login", l->login);
    if (statement_step(st, s) == STORE_OK) {
        ret->lease_id = sqlite3_column_int64(s, 0);
        (void)column_copy(s, 1, ret->lease, sizeof(ret->lease));
        ret->expired = sqlite3_column_int64(s, 2) <= now_s;
    }
    statement_done(s);
}

static enum store_rc insert_key(struct store *st, int64_t lease_id, const char *login,
                                const struct lease_key *key, int64_t now_s)
{
    sqlite3_stmt *s = statement_get(st, STMT_KEY_INSERT);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":lease_id", lease_id);
    bind_text(s, ":fingerprint", key->pub.fingerprint);
    bind_text(s, ":login", login);
    bind_text(s, ":type", key->pub.type);
    bind_text(s, ":base64", key->pub.base64);
    bind_text(s, ":comment", key->pub.comment);
    bind_int(s, ":added_s", now_s);
    return statement_run(st, s);
}

/* ---- grant ---- */

static enum store_rc insert_row(struct store *st, const char *kind, const struct lease *l,
                                const struct store_actor *by, int64_t *ret_id)
{
    struct terms terms = {{0}, {0}, {0}};
    sqlite3_stmt *s = statement_get(st, STMT_LEASE_INSERT);
    if (s == NULL)
        return STORE_FAIL;
    bind_text(s, ":kind", kind);
    bind_text(s, ":name", l->name);
    bind_text(s, ":login", l->login);
    bind_int(s, ":created_s", by->now_s);
    bind_int(s, ":expires_s", l->expires_s);
    bind_int(s, ":fixed_end", l->fixed_end ? 1 : 0);
    enum store_rc rc = bind_terms(st, s, l, &terms);
    if (rc == STORE_OK)
        rc = statement_run(st, s);
    if (rc == STORE_OK)
        *ret_id = sqlite3_last_insert_rowid(st->db);
    statement_done(s);
    release_terms(&terms);
    return rc;
}

enum store_rc store_lease_add(struct store *st, const struct lease *l, int64_t quarantine_s,
                              const struct store_actor *by, int64_t *ret_id,
                              struct store_conflict *ret_conflict)
{
    return add_lease(st, "grant", l, quarantine_s, by, ret_id, ret_conflict);
}

enum store_rc add_lease(struct store *st, const char *kind, const struct lease *l,
                        int64_t quarantine_s, const struct store_actor *by, int64_t *ret_id,
                        struct store_conflict *ret_conflict)
{
    struct buf detail = {0};
    int64_t id = 0;
    enum store_rc rc = insert_row(st, kind, l, by, &id);
    if (rc == STORE_CONFLICT)
        name_conflict(st, l, by->now_s, ret_conflict);
    for (size_t i = 0; rc == STORE_OK && i < l->key_count; i++) {
        rc = insert_key(st, id, l->login, &l->keys[i], by->now_s);
        if (rc == STORE_CONFLICT)
            key_conflict(st, l, &l->keys[i].pub, by->now_s, ret_conflict);
    }
    if (rc == STORE_OK)
        rc = ports_take(st, id, l->name, &l->listen, quarantine_s, by->now_s, ret_conflict);
    if (rc == STORE_OK) {
        describe(l, &detail);
        rc = note_change(st, by, strcmp(kind, "agent") == 0 ? "register" : "grant", id, l,
                         first_fingerprint(l), buf_text(&detail));
    }
    if (rc == STORE_OK)
        *ret_id = id;
    buf_release(&detail);
    return rc;
}

/* ---- the rest of its life ---- */

enum store_rc store_lease_set(struct store *st, const struct lease *l, int64_t quarantine_s,
                              const struct store_actor *by, struct store_conflict *ret_conflict)
{
    struct terms terms = {{0}, {0}, {0}};
    struct buf detail = {0};
    sqlite3_stmt *s = statement_get(st, STMT_LEASE_SET);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":id", l->id);
    enum store_rc rc = bind_terms(st, s, l, &terms);
    if (rc == STORE_OK)
        rc = statement_change(st, s);
    /* What it no longer names is freed, what it still names is taken back as its own. */
    if (rc == STORE_OK)
        rc = ports_free(st, l->id, by->now_s);
    if (rc == STORE_OK)
        rc = ports_take(st, l->id, l->name, &l->listen, quarantine_s, by->now_s, ret_conflict);
    if (rc == STORE_OK) {
        describe(l, &detail);
        rc = note_change(st, by, "set", l->id, l, first_fingerprint(l), buf_text(&detail));
    }
    statement_done(s);
    release_terms(&terms);
    buf_release(&detail);
    return rc;
}

enum store_rc store_lease_renew(struct store *st, const struct lease *l, int64_t expires_s,
                                bool fixed_end, int64_t quarantine_s, const struct store_actor *by,
                                struct store_conflict *ret_conflict)
{
    char detail[80];
    sqlite3_stmt *s = statement_get(st, STMT_LEASE_RENEW);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":id", l->id);
    bind_int(s, ":now_s", by->now_s);
    bind_int(s, ":expires_s", expires_s);
    bind_int(s, ":fixed_end", fixed_end ? 1 : 0);
    enum store_rc rc = statement_change(st, s);
    if (rc == STORE_OK)
        rc = store_ports_take_back(st, l, quarantine_s, by->now_s, ret_conflict);
    if (rc != STORE_OK)
        return rc;
    (void)snprintf(detail, sizeof(detail), "expires_s=%lld before=%lld", (long long)expires_s,
                   (long long)l->expires_s);
    return note_change(st, by, "renew", l->id, l, first_fingerprint(l), detail);
}

enum store_rc store_lease_revoke(struct store *st, const struct lease *l, bool keep_sessions,
                                 const struct store_actor *by)
{
    sqlite3_stmt *s = statement_get(st, STMT_LEASE_REVOKE);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":id", l->id);
    bind_int(s, ":now_s", by->now_s);
    bind_int(s, ":keep_sessions", keep_sessions ? 1 : 0);
    enum store_rc rc = statement_change(st, s);
    if (rc != STORE_OK)
        return rc;
    rc = run_on(st, STMT_LEASE_REVOKE_KEYS, l->id, 0);
    if (rc == STORE_OK || rc == STORE_NONE)
        rc = ports_free(st, l->id, by->now_s);
    if (rc != STORE_OK)
        return rc;
    return note_change(st, by, "revoke", l->id, l, first_fingerprint(l),
                       keep_sessions ? "keep_sessions=1" : "");
}

enum store_rc store_lease_delete(struct store *st, const struct lease *l, bool keep_ports,
                                 const struct store_actor *by)
{
    enum store_rc rc = run_on(st, STMT_LEASE_DELETE, l->id, by->now_s);
    if (rc != STORE_OK)
        return rc;
    rc = run_on(st, STMT_LEASE_DELETE_KEYS, l->id, 0);
    if (rc == STORE_OK || rc == STORE_NONE)
        rc = keep_ports ? ports_free(st, l->id, by->now_s) : ports_forget(st, l->id);
    return rc == STORE_OK ? note_change(st, by, "delete", l->id, l, "", "") : rc;
}

/* ---- keys ---- */

enum store_rc store_key_add(struct store *st, const struct lease *l, const struct lease_key *key,
                            const struct store_actor *by, struct store_conflict *ret_conflict)
{
    enum store_rc rc = insert_key(st, l->id, l->login, key, by->now_s);
    if (rc == STORE_CONFLICT)
        key_conflict(st, l, &key->pub, by->now_s, ret_conflict);
    if (rc != STORE_OK)
        return rc;
    return note_change(st, by, "key_add", l->id, l, key->pub.fingerprint, "");
}

enum store_rc store_key_remove(struct store *st, const struct lease *l, const char *fingerprint,
                               const struct store_actor *by)
{
    sqlite3_stmt *s = statement_get(st, STMT_KEY_DELETE);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":lease_id", l->id);
    bind_text(s, ":fingerprint", fingerprint);
    enum store_rc rc = statement_change(st, s);
    if (rc != STORE_OK)
        return rc;
    return note_change(st, by, "key_remove", l->id, l, fingerprint, "");
}

/* ---- freeze ---- */

/* A freeze as a lease: named !LOGIN, with a key row that akc's one statement finds. */
static struct lease freeze_lease(const char *login)
{
    struct lease l = {.id = 0};
    (void)snprintf(l.name, sizeof(l.name), "!%s", login);
    (void)strlcpy(l.login, login, sizeof(l.login));
    return l;
}

enum store_rc store_freeze(struct store *st, const char *login, const struct store_actor *by)
{
    const struct lease l = freeze_lease(login);
    const struct lease_key key = {.pub = {.fingerprint = "!"}};
    int64_t id = 0;
    enum store_rc rc = insert_row(st, "freeze", &l, by, &id);
    if (rc == STORE_OK)
        rc = insert_key(st, id, login, &key, by->now_s);
    return rc == STORE_OK ? note_change(st, by, "freeze", id, &l, "", "") : rc;
}

enum store_rc store_thaw(struct store *st, const char *login, const struct store_actor *by)
{
    struct lease l = freeze_lease(login);
    sqlite3_stmt *s = statement_get(st, STMT_FREEZE_BY_NAME);
    if (s == NULL)
        return STORE_FAIL;
    bind_text(s, ":name", l.name);
    enum store_rc rc = statement_step(st, s);
    if (rc == STORE_OK)
        l.id = sqlite3_column_int64(s, 0);
    statement_done(s);
    if (rc != STORE_OK)
        return rc;
    rc = run_on(st, STMT_LEASE_DELETE_KEYS, l.id, 0);
    if (rc == STORE_OK)
        rc = run_on(st, STMT_FREEZE_END, l.id, by->now_s);
    return rc == STORE_OK ? note_change(st, by, "thaw", l.id, &l, "", "") : rc;
}

enum store_rc store_frozen_since(struct store *st, const char *login, int64_t *ret_since_s)
{
    const struct lease l = freeze_lease(login);
    sqlite3_stmt *s = statement_get(st, STMT_FREEZE_BY_NAME);
    if (s == NULL)
        return STORE_FAIL;
    bind_text(s, ":name", l.name);
    enum store_rc rc = statement_step(st, s);
    if (rc == STORE_OK)
        *ret_since_s = sqlite3_column_int64(s, 1);
    statement_done(s);
    return rc;
}
