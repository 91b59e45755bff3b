/* SPDX-License-Identifier: ISC */
#include "lib/store/snapshot.h"

#include "lib/store/statement.h"

enum store_rc snapshot_begin(struct store *st)
{
    if (st->read_depth++ > 0 || st->reading || st->in_transaction)
        return STORE_OK;
    sqlite3_stmt *s = statement_get(st, STMT_SNAPSHOT_BEGIN);
    enum store_rc rc = s != NULL ? statement_execute(st, s) : STORE_FAIL;
    if (rc != STORE_OK)
        st->read_depth--;
    return rc;
}

void snapshot_end(struct store *st)
{
    if (--st->read_depth > 0 || st->in_transaction)
        return;
    st->reading = false;
    if (sqlite3_get_autocommit(st->db) != 0) /* a failure ended it, and was reported */
        return;
    sqlite3_stmt *s = statement_get(st, STMT_SNAPSHOT_END);
    if (s != NULL)
        (void)statement_execute(st, s);
}
