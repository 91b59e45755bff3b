/* SPDX-License-Identifier: ISC */
#include "lib/store/beats.h"

#include "lib/store/failure.h"
#include "lib/store/statement.h"
#include "lib/store/turn.h"

static enum store_rc bind_beat(struct store *st, enum stmt_id stmt, const char *id_param,
                               const struct beat *b, sqlite3_stmt **ret)
{
    sqlite3_stmt *s = statement_get(st, stmt);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, id_param, b->lease_id);
    bind_int(s, ":heartbeat_ms", b->heartbeat_ms);
    bind_int(s, ":expires_s", b->expires_s);
    bind_turn(s, ":turn", &b->counter);
    *ret = s;
    return STORE_OK;
}

enum store_rc store_beat_add(struct store *st, int64_t seq, const struct beat *b)
{
    sqlite3_stmt *s;
    if (bind_beat(st, STMT_BEAT_INSERT, ":lease_id", b, &s) != STORE_OK)
        return STORE_FAIL;
    bind_int(s, ":seq", seq);
    return statement_execute(st, s);
}

enum store_rc store_beat_list(struct store *st, store_beat_fn fn, void *ctx)
{
    enum store_rc rc;
    sqlite3_stmt *s = statement_get(st, STMT_BEAT_LIST);
    if (s == NULL)
        return STORE_FAIL;
    while ((rc = statement_step(st, s)) == STORE_OK) {
        struct beat b = {.lease_id = sqlite3_column_int64(s, 1),
                         .heartbeat_ms = sqlite3_column_int64(s, 2),
                         .expires_s = sqlite3_column_int64(s, 3)};
        column_turn(s, 4, &b.counter);
        if (fn(ctx, sqlite3_column_int64(s, 0), &b) != 0) {
            rc = store_failed_because(st, "out of memory");
            break;
        }
    }
    statement_done(s);
    return rc == STORE_NONE ? STORE_OK : rc;
}

enum store_rc store_beat_apply(struct store *st, const struct beat *b)
{
    sqlite3_stmt *s;
    if (bind_beat(st, STMT_BEAT_APPLY, ":id", b, &s) != STORE_OK)
        return STORE_FAIL;
    return statement_change(st, s);
}

enum store_rc store_beat_delete(struct store *st, int64_t last)
{
    sqlite3_stmt *s = statement_get(st, STMT_BEAT_DELETE);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":last", last);
    return statement_execute(st, s);
}
