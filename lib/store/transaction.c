/* SPDX-License-Identifier: ISC */
#include "lib/store/transaction.h"

#include "lib/store/place.h"
#include "lib/store/statement.h"

#include <bsd/string.h>

enum store_rc store_begin(struct store *st)
{
    /* IMMEDIATE: a deferred transaction that reads first fails at once if another writer commits
     * meanwhile, whatever the timeout (docs/sqlite-facts.md 1.9). */
    enum store_rc rc = execute_sql(st, "BEGIN IMMEDIATE");
    st->in_transaction = rc == STORE_OK;
    if (rc == STORE_OK && store_in_place(st) != STORE_OK) {
        store_rollback(st);
        rc = STORE_FAIL;
    }
    return rc;
}

/* The commit is in the log, but the log may be one that nobody reads any more. */
static enum store_rc committed_in_place(struct store *st)
{
    if (store_in_place(st) == STORE_OK)
        return STORE_OK;
    (void)strlcat(st->error,
                  "; this happened while it was written: whether the change was made is not known",
                  sizeof(st->error));
    return STORE_FAIL;
}

enum store_rc store_commit(struct store *st)
{
    enum store_rc rc = store_in_place(st);
    if (rc != STORE_OK)
        return rc; /* nothing was changed */
    rc = execute_sql(st, "COMMIT");
    if (rc == STORE_OK) {
        st->in_transaction = false;
        rc = committed_in_place(st);
    } else if (rc == STORE_FAIL)
        /* What reached the log before the disk failed may take effect later. */
        (void)strlcat(st->error,
                      "; whether the change was made is not known: check before you try again",
                      sizeof(st->error));
    return rc;
}

void store_rollback(struct store *st)
{
    if (st->in_transaction)
        (void)sqlite3_exec(st->db, "ROLLBACK", NULL, NULL, NULL);
    st->in_transaction = false;
}

bool store_transaction_is_open(const struct store *st)
{
    return st->in_transaction && sqlite3_get_autocommit(st->db) == 0;
}

static enum store_rc execute_plain(struct store *st, enum stmt_id stmt)
{
    sqlite3_stmt *s = statement_get(st, stmt);
    return s != NULL ? statement_execute(st, s) : STORE_FAIL;
}

enum store_rc store_savepoint(struct store *st)
{
    return execute_plain(st, STMT_SAVEPOINT);
}

enum store_rc store_savepoint_end(struct store *st, bool commit)
{
    enum store_rc rc = commit ? STORE_OK : execute_plain(st, STMT_SAVEPOINT_UNDO);
    return rc == STORE_OK ? execute_plain(st, STMT_SAVEPOINT_RELEASE) : rc;
}
