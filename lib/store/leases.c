/* SPDX-License-Identifier: ISC */
#include "lib/store/leases.h"

#include "lib/lease/lease.h"
#include "lib/store/failure.h"
#include "lib/store/open_agents.h"
#include "lib/store/row.h"
#include "lib/store/statement.h"

/* The columns that follow those of row.h. */
enum {
    COL_ID,
    COL_ROW,
    COL_LOGIN = COL_ROW + ROW__MAX,
    COL_NOTE,
    COL_CREATED,
    COL_RENEWED,
    COL_FIXED_END,
    COL_REVOKED,
    COL_KEEP_SESSIONS,
    COL_LAST_LOGIN
};

static enum store_rc read_lease(struct store *st, sqlite3_stmt *s, struct lease *ret)
{
    struct lease l = {0};
    int64_t id = sqlite3_column_int64(s, COL_ID);
    const char *damaged = NULL;
    enum store_rc rc = row_read_lease(st, s, COL_ROW, id, &l);
    if (rc != STORE_OK)
        return rc;
    if (column_copy(s, COL_LOGIN, l.login, sizeof(l.login)) != 0 ||
        login_name_problem(l.login) != NULL)
        damaged = "login";
    else if (column_copy(s, COL_NOTE, l.note, sizeof(l.note)) != 0 ||
             free_text_problem(l.note) != NULL)
        damaged = "note";
    if (damaged != NULL) {
        lease_release(&l);
        return store_damaged(st, damaged, id);
    }
    l.created_s = sqlite3_column_int64(s, COL_CREATED);
    l.renewed_s = sqlite3_column_int64(s, COL_RENEWED);
    l.fixed_end = sqlite3_column_int64(s, COL_FIXED_END) != 0;
    l.revoked_s = sqlite3_column_int64(s, COL_REVOKED);
    l.keep_sessions = sqlite3_column_int64(s, COL_KEEP_SESSIONS) != 0;
    l.last_login_s = sqlite3_column_int64(s, COL_LAST_LOGIN);
    rc = open_agents_resolve(st, &l);
    if (rc != STORE_OK) {
        lease_release(&l);
        return rc;
    }
    *ret = l;
    return STORE_OK;
}

static enum store_rc read_keys(struct store *st, struct lease *l)
{
    enum store_rc rc;
    sqlite3_stmt *s = statement_get(st, STMT_LEASE_KEYS);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":lease_id", l->id);
    while ((rc = statement_step(st, s)) == STORE_OK) {
        struct lease_key key = {.added_s = sqlite3_column_int64(s, 4)};
        if (column_copy(s, 0, key.pub.type, sizeof(key.pub.type)) != 0 ||
            column_copy(s, 1, key.pub.base64, sizeof(key.pub.base64)) != 0 ||
            column_copy(s, 2, key.pub.fingerprint, sizeof(key.pub.fingerprint)) != 0 ||
            column_copy(s, 3, key.pub.comment, sizeof(key.pub.comment)) != 0) {
            rc = store_damaged(st, "key", l->id);
            break;
        }
        if (lease_add_key(l, &key) != 0) {
            rc = store_failed_because(st, "out of memory");
            break;
        }
    }
    statement_done(s);
    return rc == STORE_NONE ? STORE_OK : rc;
}

/* Reads the one row of a bound statement as a lease with its keys. */
static enum store_rc read_whole_lease(struct store *st, sqlite3_stmt *s, struct lease *ret)
{
    struct lease l = {0};
    enum store_rc rc = statement_step(st, s);
    if (rc == STORE_OK)
        rc = read_lease(st, s, &l);
    statement_done(s);
    if (rc == STORE_OK)
        rc = read_keys(st, &l);
    if (rc == STORE_OK)
        *ret = l;
    else
        lease_release(&l);
    return rc;
}

enum store_rc store_lease_by_id(struct store *st, int64_t id, struct lease *ret)
{
    sqlite3_stmt *s = statement_get(st, STMT_LEASE_BY_ID);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":id", id);
    return read_whole_lease(st, s, ret);
}

enum store_rc store_lease_by_name(struct store *st, const char *name, struct lease *ret)
{
    sqlite3_stmt *s = statement_get(st, STMT_LEASE_BY_NAME);
    if (s == NULL)
        return STORE_FAIL;
    bind_text(s, ":name", name);
    return read_whole_lease(st, s, ret);
}

enum store_rc store_lease_list(struct store *st, const struct store_filter *filter,
                               store_lease_fn fn, void *ctx)
{
    enum store_rc rc;
    sqlite3_stmt *s = statement_get(st, STMT_LEASE_LIST);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":all", filter->all ? 1 : 0);
    bind_text(s, ":login", filter->login != NULL ? filter->login : "");
    bind_int(s, ":now_s", filter->now_s);
    bind_int(s, ":before_s", filter->before_s);
    while ((rc = statement_step(st, s)) == STORE_OK) {
        struct lease l = {0};
        rc = read_lease(st, s, &l);
        if (rc == STORE_OK)
            rc = read_keys(st, &l);
        if (rc == STORE_OK && fn(ctx, &l) != 0)
            rc = store_failed_because(st, "stopped by the caller");
        lease_release(&l);
        if (rc != STORE_OK)
            break;
    }
    statement_done(s);
    return rc == STORE_NONE ? STORE_OK : rc;
}
