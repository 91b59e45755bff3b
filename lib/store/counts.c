/* SPDX-License-Identifier: ISC */
#include "lib/store/counts.h"

#include "lib/store/statement.h"

enum store_rc store_count_leases(struct store *st, const struct lease_range *range, int64_t now_s,
                                 struct store_counts *counts)
{
    struct store_counts c = *counts;
    enum store_rc rc;
    sqlite3_stmt *s = statement_get_range(st, STMT_COUNT_LEASES, range);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":now_s", now_s);
    while ((rc = statement_step(st, s)) == STORE_OK) {
        int64_t *const states[] = {c.active, c.expired, c.revoked};
        int64_t kind = sqlite3_column_int64(s, 0), state = sqlite3_column_int64(s, 1);
        if (kind < 0 || kind > 1 || state < 0 || state > 2)
            continue;
        states[state][kind] += sqlite3_column_int64(s, 2);
        int64_t end_s = sqlite3_column_int64(s, 3);
        if (state == 0 && (c.next_expiry_s == 0 || end_s < c.next_expiry_s))
            c.next_expiry_s = end_s;
    }
    statement_done(s);
    if (rc != STORE_NONE)
        return rc;
    *counts = c;
    return STORE_OK;
}

enum store_rc store_count_rest(struct store *st, struct store_counts *counts)
{
    sqlite3_stmt *s = statement_get(st, STMT_COUNT_PORTS);
    if (s == NULL)
        return STORE_FAIL;
    enum store_rc rc = statement_step(st, s);
    if (rc == STORE_OK) {
        counts->ports_held = sqlite3_column_int64(s, 0);
        counts->ports_quarantined = sqlite3_column_int64(s, 1);
    }
    statement_done(s);
    return rc == STORE_OK ? statement_number(st, STMT_COUNT_AUDIT, &counts->audit_rows) : rc;
}
