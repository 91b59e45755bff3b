/* SPDX-License-Identifier: ISC */
#include "lib/store/open.h"

#include "lib/base/clock.h"
#include "lib/store/failure.h"
#include "lib/store/immutable.h"
#include "lib/store/place.h"
#include "lib/store/reader_vfs.h"
#include "lib/store/statement.h"

#include <stdlib.h>
#include <string.h>

/*
 * The owner of the store's files could have added a trigger or a view that never ends. This is
 * called so seldom that no honest lookup gets here, and the clock is read only here.
 */
enum {
    STEPS_BETWEEN_CHECKS = 1000000,
    STEP_MS = 3000, /* the longest that one row, or one change, may take */
};

static int takes_too_long(void *arg)
{
    struct store *st = arg;
    int64_t now_ms = clock_monotonic_ms();
    if (st->step_since_ms == 0)
        st->step_since_ms = now_ms;
    if (now_ms - st->step_since_ms <= STEP_MS)
        return 0;
    st->took_too_long = true;
    return 1;
}

struct store *store_new(void)
{
    struct store *st = calloc(1, sizeof(*st));
    if (st != NULL)
        st->immutable_fd = -1;
    return st;
}

enum store_rc open_connection(struct store *st, const char *path, int flags, int timeout_ms)
{
    return open_with_vfs(st, path, flags, timeout_ms,
                         (flags & SQLITE_OPEN_READONLY) != 0 ? reader_vfs() : NULL);
}

enum store_rc open_with_vfs(struct store *st, const char *path, int flags, int timeout_ms,
                            const char *vfs)
{
    if (st == NULL)
        return STORE_FAIL;
    /* Without SQLITE_OPEN_URI the path is used literally, whatever characters it contains. */
    int rc = sqlite3_open_v2(path, &st->db, flags | SQLITE_OPEN_NOMUTEX, vfs);
    if (rc != SQLITE_OK)
        return store_failed(st, rc);
    (void)sqlite3_extended_result_codes(st->db, 1);
    (void)sqlite3_busy_timeout(st->db, timeout_ms);
    sqlite3_progress_handler(st->db, STEPS_BETWEEN_CHECKS, takes_too_long, st);
    return STORE_OK;
}

enum store_rc store_set_wal(struct store *st)
{
    sqlite3_stmt *s = NULL;
    enum store_rc rc = STORE_FAIL;
    int sqlite_rc = sqlite3_prepare_v2(st->db, "PRAGMA journal_mode=WAL", -1, &s, NULL);
    if (sqlite_rc != SQLITE_OK)
        return store_failed(st, sqlite_rc);
    if (sqlite3_step(s) == SQLITE_ROW && strcmp(column_text(s, 0), "wal") == 0)
        rc = STORE_OK;
    else
        rc = store_failed(st, SQLITE_ERROR);
    (void)sqlite3_finalize(s);
    return rc;
}

void store_close_files(struct store *st)
{
    const int on = 1;
    /* The last connection to close moves the log into the database; that must not happen if the log
     * at the path now belongs to another file. */
    if (st->db != NULL && st->files[1].inode != 0 && store_place_check(st) != STORE_IN_PLACE)
        (void)sqlite3_db_config(st->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, on, NULL);
    for (size_t i = 0; i < STMT__MAX; i++) {
        (void)sqlite3_finalize(st->prepared[i]);
        st->prepared[i] = NULL;
    }
    (void)sqlite3_close(st->db);
    st->db = NULL;
    immutable_close(st);
}
