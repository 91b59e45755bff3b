/* SPDX-License-Identifier: ISC */
#include "lib/store/row.h"

#include "lib/lease/lease.h"
#include "lib/store/failure.h"
#include "lib/store/immutable.h"

enum { FROZEN = -1 }; /* in place of a limit: see agent_freeze in sql/queries.sql */

enum store_rc row_read_lease(struct store *st, sqlite3_stmt *s, int first, int64_t id,
                             struct lease *ret)
{
    struct lease l = {.id = id, .expires_s = sqlite3_column_int64(s, first + ROW_EXPIRES)};
    int64_t max_sessions = sqlite3_column_int64(s, first + ROW_MAX_SESSIONS);
    const char *sources = column_text(s, first + ROW_SOURCES);
    const char *damaged = NULL;

    if (column_copy(s, first + ROW_NAME, l.name, sizeof(l.name)) != 0 ||
        lease_name_problem(l.name) != NULL)
        damaged = "name";
    else if (lease_open_parse(column_text(s, first + ROW_OPEN), &l) != 0)
        damaged = "open permit";
    else if (permit_list_parse(column_text(s, first + ROW_LISTEN), &l.listen) != 0)
        damaged = "listen permit";
    else if (*sources != '\0' && source_list_parse(sources, &l.from) != NULL)
        damaged = "from list";
    else if (max_sessions < FROZEN || max_sessions > LEASE_SESSIONS_LIMIT_MAX)
        damaged = "session limit";
    if (damaged != NULL) {
        lease_release(&l);
        return store_damaged(st, damaged, id);
    }
    l.is_frozen = max_sessions == FROZEN;
    l.max_sessions = l.is_frozen ? 0 : (unsigned)max_sessions;
    /* Checked again: SQLite reads the pages of a long column only when column_text gets it. */
    if (!immutable_is_intact(st)) {
        lease_release(&l);
        return STORE_FAIL;
    }
    *ret = l;
    return STORE_OK;
}
