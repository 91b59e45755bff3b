/* SPDX-License-Identifier: ISC */
#include "lib/store/statement.h"

#include "lib/base/buf.h"
#include "lib/store/failure.h"
#include "lib/store/immutable.h"
#include "lib/store/range.h"

#include <bsd/string.h>
#include <time.h>

enum { TRIES_AT_ONCE = 20 }; /* for a call that fails transiently; at most 1 ms apart */

/* True if the same call should be tried again; counts *tries. */
static bool try_at_once(int rc, int *tries)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    if ((rc != SQLITE_SCHEMA && rc != SQLITE_READONLY_RECOVERY) || ++*tries > TRIES_AT_ONCE)
        return false;
    if (rc == SQLITE_READONLY_RECOVERY)
        (void)nanosleep(&pause, NULL);
    return true;
}

sqlite3_stmt *statement_get(struct store *st, enum stmt_id id)
{
    int rc, tries = 0;
    if (st->prepared[id] == NULL) {
        do
            rc = sqlite3_prepare_v2(st->db, stmt_table[id].sql, -1, &st->prepared[id], NULL);
        while (try_at_once(rc, &tries));
        if (rc != SQLITE_OK) {
            (void)store_failed(st, rc);
            return NULL;
        }
    }
    return st->prepared[id];
}

void bind_int(sqlite3_stmt *s, const char *param, int64_t value)
{
    (void)sqlite3_bind_int64(s, sqlite3_bind_parameter_index(s, param), value);
}

void bind_text(sqlite3_stmt *s, const char *param, const char *value)
{
    (void)sqlite3_bind_text(s, sqlite3_bind_parameter_index(s, param), value, -1, SQLITE_STATIC);
}

void bind_blob(sqlite3_stmt *s, const char *param, const void *mem, size_t bytes)
{
    (void)sqlite3_bind_blob(s, sqlite3_bind_parameter_index(s, param), mem, (int)bytes,
                            SQLITE_STATIC);
}

enum store_rc bind_buf(struct store *st, sqlite3_stmt *s, const char *param,
                       const struct buf *value)
{
    const char *text = buf_text(value);
    if (text == NULL)
        return store_failed_because(st, "out of memory");
    bind_text(s, param, text);
    return STORE_OK;
}

enum store_rc statement_step(struct store *st, sqlite3_stmt *s)
{
    int rc, tries = 0;
    st->step_since_ms = 0;
    while (try_at_once(rc = sqlite3_step(s), &tries))
        (void)sqlite3_reset(s);
    if ((rc == SQLITE_ROW || rc == SQLITE_DONE) && !immutable_is_intact(st))
        return STORE_FAIL;
    if (rc == SQLITE_ROW)
        return STORE_OK;
    if (rc == SQLITE_DONE)
        return STORE_NONE;
    if ((sqlite3_extended_errcode(st->db) & 0xff) == SQLITE_CONSTRAINT) {
        (void)store_failed(st, rc);
        return STORE_CONFLICT;
    }
    return store_failed(st, rc);
}

enum store_rc statement_execute(struct store *st, sqlite3_stmt *s)
{
    enum store_rc rc = statement_step(st, s);
    statement_done(s);
    return rc == STORE_NONE ? STORE_OK : rc;
}

void statement_done(sqlite3_stmt *s)
{
    if (s == NULL)
        return;
    (void)sqlite3_reset(s);
    (void)sqlite3_clear_bindings(s);
}

const char *column_text(sqlite3_stmt *s, int column)
{
    const char *text = (const char *)sqlite3_column_text(s, column);
    return text != NULL ? text : "";
}

int column_copy(sqlite3_stmt *s, int column, char *out, size_t out_bytes)
{
    return strlcpy(out, column_text(s, column), out_bytes) < out_bytes ? 0 : -1;
}

enum store_rc statement_change(struct store *st, sqlite3_stmt *s)
{
    enum store_rc rc = statement_execute(st, s);
    return rc == STORE_OK && sqlite3_changes(st->db) == 0 ? STORE_NONE : rc;
}

enum store_rc statement_change_row(struct store *st, enum stmt_id id, int64_t row_id, int64_t now_s)
{
    sqlite3_stmt *s = statement_get(st, id);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":id", row_id);
    if (sqlite3_bind_parameter_index(s, ":now_s") != 0)
        bind_int(s, ":now_s", now_s);
    return statement_change(st, s);
}

sqlite3_stmt *statement_get_range(struct store *st, enum stmt_id id,
                                  const struct lease_range *range)
{
    sqlite3_stmt *s = statement_get(st, id);
    if (s == NULL)
        return NULL;
    bind_int(s, ":after", range->after);
    bind_int(s, ":last", range->last);
    return s;
}

enum store_rc execute_sql(struct store *st, const char *sql)
{
    st->step_since_ms = 0;
    int rc = sqlite3_exec(st->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? STORE_OK : store_failed(st, rc);
}

enum store_rc statement_number(struct store *st, enum stmt_id stmt, int64_t *ret)
{
    sqlite3_stmt *s = statement_get(st, stmt);
    if (s == NULL)
        return STORE_FAIL;
    enum store_rc rc = statement_step(st, s);
    if (rc == STORE_OK)
        *ret = sqlite3_column_int64(s, 0);
    statement_done(s);
    return rc;
}
