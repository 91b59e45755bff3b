/* SPDX-License-Identifier: ISC */
#include "lib/store/overview.h"

#include "lib/store/failure.h"
#include "lib/store/statement.h"

enum store_rc store_leases_in_short(struct store *st, const struct lease_range *range,
                                    lease_in_short_fn fn, void *ctx)
{
    enum store_rc rc;
    sqlite3_stmt *s = statement_get_range(st, STMT_OVERVIEW_LEASES, range);
    if (s == NULL)
        return STORE_FAIL;
    while ((rc = statement_step(st, s)) == STORE_OK) {
        const struct lease_in_short l = {.id = sqlite3_column_int64(s, 0),
                                         .is_agent = sqlite3_column_int64(s, 1) != 0,
                                         .is_live = sqlite3_column_int64(s, 2) != 0,
                                         .expires_s = sqlite3_column_int64(s, 3),
                                         .revoked_s = sqlite3_column_int64(s, 4),
                                         .name = column_text(s, 5),
                                         .login = column_text(s, 6),
                                         .open = column_text(s, 7),
                                         .listen = column_text(s, 8)};
        if (fn(ctx, &l) != 0) {
            rc = store_failed_because(st, "out of memory");
            break;
        }
    }
    statement_done(s);
    return rc == STORE_NONE ? STORE_OK : rc;
}

enum store_rc store_audit_count(struct store *st, int64_t *ret_count)
{
    return statement_number(st, STMT_COUNT_AUDIT, ret_count);
}
