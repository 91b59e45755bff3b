/* SPDX-License-Identifier: ISC */
#include "lib/store/audit_list.h"

#include "lib/store/audit_row.h"
#include "lib/store/statement.h"

static enum store_rc list_rows(struct store *st, sqlite3_stmt *s, audit_record_fn fn, void *ctx)
{
    enum store_rc rc;
    while ((rc = statement_step(st, s)) == STORE_OK) {
        const struct audit_row row = audit_row_at(s);
        const struct audit_record r = {
            .seq = row.seq,
            .time_s = row.time_s,
            .lease_id = row.lease_id,
            .anchor_seq = row.anchor_seq,
            .actor = row.actor,
            .action = row.action,
            .lease = row.lease,
            .fingerprint = row.fingerprint,
            .source = row.source,
            .outcome = row.outcome,
            .detail = row.detail,
            .hash = audit_row_stored_hash(s),
        };
        if (fn(ctx, &r) != 0)
            break;
    }
    statement_done(s);
    return rc == STORE_NONE ? STORE_OK : rc;
}

enum store_rc audit_list(struct store *st, const struct audit_filter *filter, audit_record_fn fn,
                         void *ctx)
{
    sqlite3_stmt *s = statement_get(st, STMT_AUDIT_LIST);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":after", filter->after_seq);
    bind_int(s, ":limit", filter->limit != 0 ? filter->limit : -1);
    bind_int(s, ":since_s", filter->since_s);
    bind_int(s, ":lease_id", filter->lease_id);
    if (filter->lease != NULL)
        bind_text(s, ":lease", filter->lease);
    return list_rows(st, s, fn, ctx);
}

enum store_rc audit_list_newest(struct store *st, int64_t offset, int64_t limit, audit_record_fn fn,
                                void *ctx)
{
    sqlite3_stmt *s = statement_get(st, STMT_AUDIT_NEWEST);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":offset", offset);
    bind_int(s, ":limit", limit);
    return list_rows(st, s, fn, ctx);
}
