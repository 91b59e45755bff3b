/* SPDX-License-Identifier: ISC */
#include "lib/store/backup/once.h"

#include "lib/store/failure.h"

sqlite3_stmt *once_get(struct store *st, enum restore_id id, const struct once_values *v)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(st->db, restore_table[id].sql, -1, &s, NULL);
    if (rc != SQLITE_OK) {
        (void)store_failed(st, rc);
        return NULL;
    }
    /* A parameter that the statement does not have is passed over. */
    bind_int(s, ":now_s", v->now_s);
    bind_int(s, ":head", v->head);
    bind_int(s, ":pruned", v->pruned);
    bind_int(s, ":seq", v->seq);
    bind_int(s, ":by", v->by);
    return s;
}

enum store_rc once_execute(struct store *st, enum restore_id id, const struct once_values *v)
{
    sqlite3_stmt *s = once_get(st, id, v);
    if (s == NULL)
        return STORE_FAIL;
    enum store_rc rc = statement_step(st, s);
    (void)sqlite3_finalize(s);
    return rc == STORE_NONE ? STORE_OK : rc == STORE_CONFLICT ? STORE_FAIL : rc;
}
