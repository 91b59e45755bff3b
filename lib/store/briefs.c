/* SPDX-License-Identifier: ISC */
#include "lib/store/briefs.h"

#include "lib/store/failure.h"
#include "lib/store/statement.h"

#include <bsd/string.h>
#include <string.h>

static void copy(sqlite3_stmt *s, int column, char *out, size_t out_bytes)
{
    (void)strlcpy(out, column_text(s, column), out_bytes);
}

enum store_rc store_briefs(struct store *st, int64_t now_s, store_brief_fn fn, void *ctx)
{
    sqlite3_stmt *s = statement_get(st, STMT_LEASE_BRIEFS);
    enum store_rc rc;
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":now_s", now_s);
    while ((rc = statement_step(st, s)) == STORE_OK) {
        struct lease_brief b = {.id = sqlite3_column_int64(s, 0),
                                .is_agent = strcmp(column_text(s, 1), "agent") == 0,
                                .expires_s = sqlite3_column_int64(s, 6),
                                .last_login_s = sqlite3_column_int64(s, 7)};
        copy(s, 2, b.name, sizeof(b.name));
        copy(s, 3, b.login, sizeof(b.login));
        copy(s, 4, b.open, sizeof(b.open));
        copy(s, 5, b.listen, sizeof(b.listen));
        copy(s, 8, b.note, sizeof(b.note));
        if (fn(ctx, &b) != 0) {
            rc = store_failed_because(st, "out of memory");
            break;
        }
    }
    statement_done(s);
    return rc == STORE_NONE ? STORE_OK : rc;
}
