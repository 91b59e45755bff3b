/* SPDX-License-Identifier: ISC */
#include "lib/store/changes.h"

#include "lib/base/buf.h"
#include "lib/lease/lease.h"
#include "lib/store/lease_add.h"
#include "lib/store/note.h"
#include "lib/store/ports.h"
#include "lib/store/statement.h"
#include "lib/store/terms.h"

#include <stdio.h>

enum store_rc store_lease_add(struct store *st, const struct lease *l, int64_t quarantine_s,
                              const struct store_actor *by, int64_t *ret_id,
                              struct store_conflict *ret_conflict)
{
    return add_lease(st, "grant", 0, l, quarantine_s, by, ret_id, ret_conflict);
}

enum store_rc store_lease_import(struct store *st, const struct lease *l, const char *file,
                                 size_t line, int64_t quarantine_s, const struct store_actor *by,
                                 int64_t *ret_id, struct store_conflict *ret_conflict)
{
    struct buf detail = {0};
    int64_t id;
    enum store_rc rc = insert_whole_lease(st, "grant", 0, l, quarantine_s, by, &id, ret_conflict);
    if (rc == STORE_OK) {
        describe_terms(l, &detail);
        buf_addf(&detail, " line=%zu file=%s", line, file);
        rc = note_change(st, by, "import", id, l, NULL, buf_text(&detail));
    }
    if (rc == STORE_OK)
        *ret_id = id;
    buf_release(&detail);
    return rc;
}

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
    /* Free all ports, then acquire again those that the lease still lists. */
    if (rc == STORE_OK)
        rc = ports_free(st, l->id, by->now_s);
    if (rc == STORE_OK)
        rc = ports_acquire(st, l->id, l->name, &l->listen, quarantine_s, by->now_s, ret_conflict);
    if (rc == STORE_OK) {
        describe_terms(l, &detail);
        rc = note_change(st, by, "set", l->id, l, NULL, buf_text(&detail));
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
        rc = store_ports_reacquire(st, l, quarantine_s, by->now_s, ret_conflict);
    if (rc != STORE_OK)
        return rc;
    (void)snprintf(detail, sizeof(detail), "expires_s=%lld before=%lld", (long long)expires_s,
                   (long long)l->expires_s);
    return note_change(st, by, "renew", l->id, l, NULL, detail);
}

enum store_rc store_ports_reacquire(struct store *st, const struct lease *l, int64_t quarantine_s,
                                    int64_t now_s, struct store_conflict *ret)
{
    return ports_acquire(st, l->id, l->name, &l->listen, quarantine_s, now_s, ret);
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
    rc = statement_change_row(st, STMT_LEASE_REVOKE_KEYS, l->id, 0);
    if (rc == STORE_OK || rc == STORE_NONE)
        rc = ports_free(st, l->id, by->now_s);
    if (rc != STORE_OK)
        return rc;
    return note_change(st, by, "revoke", l->id, l, NULL, keep_sessions ? "keep_sessions=1" : "");
}

enum store_rc store_lease_delete(struct store *st, const struct lease *l, bool keep_ports,
                                 const struct store_actor *by)
{
    enum store_rc rc = statement_change_row(st, STMT_LEASE_DELETE, l->id, by->now_s);
    if (rc != STORE_OK)
        return rc;
    rc = statement_change_row(st, STMT_LEASE_DELETE_KEYS, l->id, 0);
    if (rc == STORE_OK || rc == STORE_NONE)
        rc = keep_ports ? ports_free(st, l->id, by->now_s) : ports_delete(st, l->id);
    return rc == STORE_OK ? note_change(st, by, "delete", l->id, l, "", "") : rc;
}

/* ---- keys ---- */

enum store_rc store_key_add(struct store *st, const struct lease *l, const struct lease_key *key,
                            const struct store_actor *by, struct store_conflict *ret_conflict)
{
    enum store_rc rc = insert_key(st, l, l->id, key, by->now_s, ret_conflict);
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

/* ---- events of a lease ---- */

enum store_rc store_login_seen(struct store *st, int64_t lease_id, int64_t time_s)
{
    sqlite3_stmt *s = statement_get(st, STMT_LOGIN_SEEN);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":id", lease_id);
    bind_int(s, ":time_s", time_s);
    return statement_execute(st, s);
}
