/* SPDX-License-Identifier: ISC */
#include "lib/store/statement.h"

#include "lib/base/buf.h"
#include "lib/store/guarded.h"

#include <bsd/string.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/*
 * What a person should do about a failure. The codes, and which call they come from, are those of
 * facts/sqlite-and-performance.md, table of outcomes.
 */
static const char *advice(int code)
{
    switch (code) {
    case SQLITE_READONLY_DIRECTORY:
    case SQLITE_READONLY_CANTINIT:
        return "its write-ahead log is missing: 'leasectl list' as root puts it back";
    case SQLITE_CANTOPEN_SYMLINK:
        return "it is a symbolic link, which is not followed";
    default:
        break;
    }
    switch (code & 0xff) {
    case SQLITE_CANTOPEN:
        return "it, or its -wal or -shm beside it, is missing or not readable; "
               "'leasectl list' as root puts a missing log back";
    case SQLITE_NOTADB:
        return "it is not a lease store, or corrupt";
    case SQLITE_CORRUPT:
        return "it is corrupt";
    case SQLITE_SCHEMA:
        return "it is being rebuilt: try again";
    case SQLITE_FULL:
        return "the disk is full; nothing was changed";
    case SQLITE_BUSY:
        return "another program holds its lock";
    case SQLITE_READONLY:
        return "it is not writable";
    case SQLITE_INTERRUPT:
        return "a statement took more than 3 s: is there a trigger or a view in it that is not "
               "ours?";
    default:
        return NULL;
    }
}

enum store_rc store_failed(struct store *st, int sqlite_rc)
{
    int code = st->db != NULL ? sqlite3_extended_errcode(st->db) : sqlite_rc;
    const char *hint = guarded_holds(st) ? advice(code) : guarded_unheld;
    const char *what = st->db != NULL ? sqlite3_errmsg(st->db) : sqlite3_errstr(sqlite_rc);

    st->failed_code = code;
    (void)snprintf(st->error, sizeof(st->error), "%s%s%s (sqlite %d)", hint != NULL ? hint : "",
                   hint != NULL ? "; " : "", what, code);
    return (code & 0xff) == SQLITE_BUSY ? STORE_BUSY : STORE_FAIL;
}

enum store_rc store_damaged(struct store *st, const char *what, int64_t lease_id)
{
    if (guarded_holds(st))
        (void)snprintf(st->error, sizeof(st->error),
                       "it is corrupt: the %s of lease #%lld is no %s", what, (long long)lease_id,
                       what);
    return STORE_FAIL;
}

/* Whether to try the same call again: *tries counts. */
static bool try_at_once(int rc, int *tries)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    if ((rc != SQLITE_SCHEMA && rc != SQLITE_READONLY_RECOVERY) || ++*tries > STORE_TRIES_AT_ONCE)
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
    if (text == NULL) {
        (void)strlcpy(st->error, "out of memory", sizeof(st->error));
        return STORE_FAIL;
    }
    bind_text(s, param, text);
    return STORE_OK;
}

enum store_rc statement_step(struct store *st, sqlite3_stmt *s)
{
    int rc, tries = 0;
    st->step_since_ms = 0;
    while (try_at_once(rc = sqlite3_step(s), &tries))
        (void)sqlite3_reset(s);
    if ((rc == SQLITE_ROW || rc == SQLITE_DONE) && !guarded_holds(st))
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

enum store_rc statement_run(struct store *st, sqlite3_stmt *s)
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

enum store_rc read_begin(struct store *st)
{
    if (st->read_depth++ > 0 || st->reading || st->in_transaction)
        return STORE_OK;
    sqlite3_stmt *s = statement_get(st, STMT_READ_BEGIN);
    enum store_rc rc = s != NULL ? statement_run(st, s) : STORE_FAIL;
    if (rc != STORE_OK)
        st->read_depth--;
    return rc;
}

void read_end(struct store *st)
{
    if (--st->read_depth > 0 || st->in_transaction)
        return;
    st->reading = false;
    if (sqlite3_get_autocommit(st->db) != 0) /* a failure ended it already, and is the reason */
        return;
    sqlite3_stmt *s = statement_get(st, STMT_READ_END);
    if (s != NULL)
        (void)statement_run(st, s);
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
    enum store_rc rc = statement_run(st, s);
    return rc == STORE_OK && sqlite3_changes(st->db) == 0 ? STORE_NONE : rc;
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
