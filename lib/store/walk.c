/* SPDX-License-Identifier: ISC */
#include "lib/store/walk.h"

#include "lib/store/failure.h"
#include "lib/store/statement.h"

enum store_rc store_range_next(struct store *st, int64_t limit, struct lease_range *range)
{
    sqlite3_stmt *s = statement_get(st, STMT_RANGE_NEXT);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":after", range->last);
    bind_int(s, ":limit", limit);
    enum store_rc rc = statement_step(st, s);
    int64_t last = rc == STORE_OK ? sqlite3_column_int64(s, 0) : 0;
    statement_done(s);
    if (rc != STORE_OK)
        return rc;
    if (last == 0)
        return STORE_NONE;
    *range = (struct lease_range){.after = range->last, .last = last};
    return STORE_OK;
}

enum store_rc store_agents_opening_other(struct store *st, const struct lease_range *range,
                                         const char *open, int64_t now_s, store_id_fn fn, void *ctx)
{
    enum store_rc rc;
    sqlite3_stmt *s = statement_get_range(st, STMT_AGENTS_OPENING_OTHER, range);
    if (s == NULL)
        return STORE_FAIL;
    bind_text(s, ":open", open);
    bind_int(s, ":now_s", now_s);
    while ((rc = statement_step(st, s)) == STORE_OK)
        if (fn(ctx, sqlite3_column_int64(s, 0)) != 0) {
            rc = store_failed_because(st, "out of memory");
            break;
        }
    statement_done(s);
    return rc == STORE_NONE ? STORE_OK : rc;
}

enum store_rc store_leases_ending(struct store *st, const struct lease_range *range,
                                  int64_t after_s, int64_t until_s, store_ending_fn fn, void *ctx)
{
    enum store_rc rc;
    sqlite3_stmt *s = statement_get_range(st, STMT_LEASES_ENDING, range);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":after_s", after_s);
    bind_int(s, ":until_s", until_s);
    while ((rc = statement_step(st, s)) == STORE_OK)
        if (fn(ctx, sqlite3_column_int64(s, 0), column_text(s, 1), sqlite3_column_int64(s, 2)) != 0)
            break;
    statement_done(s);
    return rc == STORE_NONE || rc == STORE_OK ? STORE_OK : rc;
}
