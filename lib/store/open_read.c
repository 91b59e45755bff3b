/* SPDX-License-Identifier: ISC */
#include "lib/store/open_read.h"

#include "lib/base/clock.h"
#include "lib/store/arena.h"
#include "lib/store/connection.h"
#include "lib/store/failure.h"
#include "lib/store/immutable.h"
#include "lib/store/immutable_open.h"
#include "lib/store/open.h"
#include "lib/store/place.h"
#include "lib/store/reader_vfs.h"
#include "lib/store/statement.h"
#include "lib/store/version.h"

#include <errno.h>
#include <string.h>
#include <time.h>

bool store_failure_is_transient(const struct store *st)
{
    return st->transient || st->failed_code == SQLITE_READONLY_RECOVERY ||
           st->failed_code == SQLITE_READONLY_CANTINIT || st->failed_code == SQLITE_SCHEMA ||
           (st->failed_code & 0xff) == SQLITE_PROTOCOL;
}

/* True if -wal or -shm is missing or not readable (docs/sqlite-facts.md 1.1). */
static bool lacks_log(const struct store *st)
{
    return st->failed_code == SQLITE_READONLY_DIRECTORY ||
           st->failed_code == SQLITE_READONLY_CANTINIT ||
           (st->failed_code & 0xff) == SQLITE_CANTOPEN;
}

static enum store_rc begin_snapshot_now(struct store *st)
{
    sqlite3_stmt *s = statement_get(st, STMT_SNAPSHOT_BEGIN_NOW);
    enum store_rc rc = s != NULL ? statement_execute(st, s) : STORE_FAIL;
    st->reading = rc == STORE_OK;
    return rc;
}

static enum store_rc open_and_check(const char *path, bool for_query, int timeout_ms,
                                    struct store **ret)
{
    *ret = store_new();
    int version;
    enum store_rc rc = open_connection(*ret, path, SQLITE_OPEN_READONLY, timeout_ms);
    if (rc == STORE_OK && for_query)
        rc = begin_snapshot_now(*ret);
    if (rc == STORE_OK)
        rc = store_check_version(*ret, &version);
    /* The first statement makes SQLite read the schema, so every problem of the file shows here. */
    if (rc == STORE_OK && statement_get(*ret, STMT_KEY_FIND) == NULL)
        rc = STORE_FAIL;
    return rc;
}

/*
 * *st could not be opened because the log is missing. Replaces *st by a store that reads without
 * the log, or by one that says what is wrong with the database itself.
 */
static enum store_rc read_without_log(const char *path, struct store **st)
{
    struct store *immutable = NULL;
    enum store_rc rc = immutable_open(path, &immutable);
    if (rc == STORE_OK ||
        (immutable != NULL && !immutable->transient && immutable->failed_code != 0)) {
        store_close(*st);
        *st = immutable;
        return rc;
    }
    (*st)->transient = immutable != NULL && immutable->transient;
    store_close(immutable);
    return STORE_FAIL;
}

/* One attempt. STORE_FAIL or STORE_BUSY: err says why, and *ret is the failed store; *ret NULL: do
 * not try again. */
static enum store_rc open_once(const char *path, bool for_query, int timeout_ms, struct store **ret,
                               char err[static STORE_ERROR_BYTES])
{
    struct store *st = NULL;
    struct stat sb;
    enum store_rc rc;

    *ret = NULL;
    /* Opening a FIFO would wait for ever, and a directory is no database: check before SQLite opens
     * it. */
    if (stat(path, &sb) != 0) {
        open_failed(err, path,
                    errno == ENOENT
                        ? "there is none: 'leasectl restore' a backup; only where no lease was "
                          "ever granted, 'leasectl setup' makes it"
                        : strerror(errno));
        return STORE_FAIL;
    }
    if (!S_ISREG(sb.st_mode)) {
        open_failed(err, path, "it is not a regular file");
        return STORE_FAIL;
    }
    if (immutable_is_needed(path)) {
        rc = immutable_open(path, &st);
    } else {
        rc = open_and_check(path, for_query, timeout_ms, &st);
        if (rc != STORE_OK && st != NULL && lacks_log(st))
            rc = read_without_log(path, &st);
    }
    if (rc == STORE_OK)
        place_record_main(st, path, &sb);
    else
        open_failed(err, path, st != NULL ? st->error : "out of memory");
    *ret = st;
    return rc;
}

/* Closes st, whose opening or query failed. True, after a pause, if another attempt may succeed;
 * false: the failure is final, or the time is over. */
static bool try_again(struct store *st, int64_t until_ms, int64_t *pause_ms)
{
    bool transient = st != NULL && store_failure_is_transient(st);
    int64_t left_ms = until_ms - clock_monotonic_ms();
    store_close(st);
    if (!transient || left_ms <= 0)
        return false;
    store_arena_reset();
    int64_t ms = *pause_ms < left_ms ? *pause_ms : left_ms;
    const struct timespec pause = {.tv_nsec = ms * 1000000L};
    (void)nanosleep(&pause, NULL);
    *pause_ms = *pause_ms * 2 < STORE_PAUSE_MAX_MS ? *pause_ms * 2 : STORE_PAUSE_MAX_MS;
    return true;
}

enum store_rc store_open_read(const char *path, struct store **ret,
                              char err[static STORE_ERROR_BYTES])
{
    int64_t until_ms = clock_monotonic_ms() + STORE_READ_TIMEOUT_MS, pause_ms = 1;
    struct store *st;
    enum store_rc rc;
    reader_waits_until(until_ms);
    while ((rc = open_once(path, false, STORE_READ_TIMEOUT_MS, &st, err)) != STORE_OK &&
           try_again(st, until_ms, &pause_ms)) {
    }
    reader_waits_until(INT64_MAX);
    if (rc == STORE_OK)
        *ret = st;
    return rc;
}

static enum store_rc query_once(const char *path, int timeout_ms, store_query_fn query, void *ctx,
                                struct store **ret, char err[static STORE_ERROR_BYTES])
{
    enum store_rc rc = open_once(path, true, timeout_ms, ret, err);
    if (rc != STORE_OK)
        return rc;
    rc = query(ctx, *ret);
    if (rc != STORE_OK && rc != STORE_NONE)
        open_failed(err, path, (*ret)->error);
    return rc;
}

/*
 * Ends the read and its locks. A process that asks one question and ends does not close the
 * connection: that would be a twentieth of what akc does at a login, for nothing
 * (docs/sqlite-facts.md 2). In any other, what is left open would be shared with later connections.
 */
static void end_query(struct store *st)
{
    static struct store *left_open;
    if (!store_arena_is_used()) {
        store_close(st);
        return;
    }
    sqlite3_stmt *s =
        sqlite3_get_autocommit(st->db) == 0 ? statement_get(st, STMT_SNAPSHOT_END) : NULL;
    if (s != NULL)
        (void)statement_execute(st, s);
    immutable_close(st);
    left_open = st;
    (void)left_open; /* so that a checker of leaks finds it */
}

enum store_rc store_query(const char *path, int64_t until_ms, store_query_fn query, void *ctx,
                          char err[static STORE_ERROR_BYTES])
{
    int64_t pause_ms = 1;
    struct store *st;
    enum store_rc rc;
    reader_waits_until(until_ms);
    do {
        int64_t left_ms = until_ms - clock_monotonic_ms();
        rc = query_once(path, left_ms > 0 ? (int)left_ms : 0, query, ctx, &st, err);
        if (rc == STORE_OK || rc == STORE_NONE) {
            end_query(st);
            break;
        }
    } while (try_again(st, until_ms, &pause_ms));
    reader_waits_until(INT64_MAX);
    return rc;
}
