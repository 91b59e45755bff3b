/* SPDX-License-Identifier: ISC */
#include "lib/store/freezes.h"

#include "lib/lease/lease.h"
#include "lib/store/failure.h"
#include "lib/store/lease_add.h"
#include "lib/store/note.h"
#include "lib/store/statement.h"

#include <bsd/string.h>
#include <stdio.h>

/* A freeze is a lease named !LOGIN, with a key row that the statement of akc's lookup finds. */
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
    enum store_rc rc = insert_lease(st, "freeze", 0, &l, by, &id);
    if (rc == STORE_OK)
        rc = insert_key(st, &l, id, &key, by->now_s, NULL);
    return rc == STORE_OK ? note_change(st, by, "freeze", id, &l, "", "") : rc;
}

/* STORE_NONE: no such freeze is in force. */
static enum store_rc find_freeze(struct store *st, const struct lease *freeze, int64_t *ret_id,
                                 int64_t *ret_since_s)
{
    sqlite3_stmt *s = statement_get(st, STMT_FREEZE_BY_NAME);
    if (s == NULL)
        return STORE_FAIL;
    bind_text(s, ":name", freeze->name);
    enum store_rc rc = statement_step(st, s);
    if (rc == STORE_OK) {
        *ret_id = sqlite3_column_int64(s, 0);
        *ret_since_s = sqlite3_column_int64(s, 1);
    }
    statement_done(s);
    return rc;
}

enum store_rc store_thaw(struct store *st, const char *login, const struct store_actor *by)
{
    struct lease l = freeze_lease(login);
    int64_t since_s;
    enum store_rc rc = find_freeze(st, &l, &l.id, &since_s);
    if (rc == STORE_OK)
        rc = statement_change_row(st, STMT_LEASE_DELETE_KEYS, l.id, 0);
    if (rc == STORE_OK)
        rc = statement_change_row(st, STMT_FREEZE_END, l.id, by->now_s);
    return rc == STORE_OK ? note_change(st, by, "thaw", l.id, &l, "", "") : rc;
}

enum store_rc store_frozen_since(struct store *st, const char *login, int64_t *ret_since_s)
{
    const struct lease l = freeze_lease(login);
    int64_t id;
    return find_freeze(st, &l, &id, ret_since_s);
}

enum store_rc store_login_frozen(struct store *st, const char *login, struct login_freeze *ret)
{
    struct login_freeze f = {.is_of_all = true};
    enum store_rc rc = store_frozen_since(st, "*", &f.since_s);
    if (rc == STORE_NONE) {
        f.is_of_all = false;
        rc = store_frozen_since(st, login, &f.since_s);
    }
    if (rc == STORE_OK)
        *ret = f;
    return rc;
}

enum store_rc store_freeze_list(struct store *st, store_freeze_fn fn, void *ctx)
{
    enum store_rc rc;
    sqlite3_stmt *s = statement_get(st, STMT_FREEZE_LIST);
    if (s == NULL)
        return STORE_FAIL;
    while ((rc = statement_step(st, s)) == STORE_OK) {
        if (fn(ctx, column_text(s, 0), sqlite3_column_int64(s, 1)) != 0) {
            rc = store_failed_because(st, "stopped by the caller");
            break;
        }
    }
    statement_done(s);
    return rc == STORE_NONE ? STORE_OK : rc;
}
