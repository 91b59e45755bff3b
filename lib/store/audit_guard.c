/* SPDX-License-Identifier: ISC */
#include "lib/store/audit_guard.h"

#include "lib/store/statement.h"
#include "lib/store/transaction.h"

/* STORE_OK and *ret_refused: it was tried. */
static enum store_rc try_one(struct store *st, enum stmt_id id, bool *ret_refused)
{
    sqlite3_stmt *s = statement_get(st, id);
    if (s == NULL)
        return STORE_FAIL;
    const enum store_rc rc = statement_change(st, s);
    if (rc != STORE_OK && rc != STORE_CONFLICT)
        return rc;
    *ret_refused = rc == STORE_CONFLICT;
    return STORE_OK;
}

/* The removal last: the others need the row. */
enum store_rc audit_guard_try(struct store *st, struct audit_guard *ret)
{
    struct audit_guard guard = {.change = false};
    enum store_rc rc = store_begin(st);
    if (rc == STORE_OK)
        rc = try_one(st, STMT_AUDIT_TRY_CHANGE, &guard.change);
    if (rc == STORE_OK)
        rc = try_one(st, STMT_AUDIT_TRY_REPLACEMENT, &guard.replacement);
    if (rc == STORE_OK)
        rc = try_one(st, STMT_AUDIT_TRY_REMOVAL, &guard.removal);
    store_rollback(st);
    if (rc == STORE_OK)
        *ret = guard;
    return rc;
}
