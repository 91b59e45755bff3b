/* SPDX-License-Identifier: ISC */
/* Opening the store to read, and what both ways of opening share. */
#include "lib/store/store.h"

#include "lib/base/clock.h"
#include "lib/store/guarded.h"
#include "lib/store/open.h"
#include "lib/store/place.h"
#include "lib/store/statement.h"

#include <bsd/string.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

void open_failed(char err[static STORE_ERROR_BYTES], const char *path, const char *why)
{
    (void)snprintf(err, STORE_ERROR_BYTES, "cannot use the store '%s': %s", path, why);
}

/*
 * Who owns the store could have put a trigger or a view into it that never ends. Called so seldom
 * that no honest lookup gets here, and the clock is only read when one does.
 */
enum { STEPS_BETWEEN_LOOKS = 1000000 };

static int takes_too_long(void *arg)
{
    struct store *st = arg;
    int64_t now_ms = clock_monotonic_ms();
    if (st->step_since_ms == 0)
        st->step_since_ms = now_ms;
    return now_ms - st->step_since_ms > STORE_STEP_MS;
}

enum store_rc open_connection(const char *path, int flags, int timeout_ms, struct store **ret)
{
    struct store *st = calloc(1, sizeof(*st));
    if (st == NULL)
        return STORE_FAIL;
    st->guard_fd = -1;
    /* Without SQLITE_OPEN_URI a path is a path, whatever stands in it. */
    int rc = sqlite3_open_v2(path, &st->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    *ret = st; /* even on failure: it holds the reason */
    if (rc != SQLITE_OK)
        return store_failed(st, rc);
    (void)sqlite3_extended_result_codes(st->db, 1);
    (void)sqlite3_busy_timeout(st->db, timeout_ms);
    sqlite3_progress_handler(st->db, STEPS_BETWEEN_LOOKS, takes_too_long, st);
    return STORE_OK;
}

bool store_failure_passes(const struct store *st)
{
    return st->guard_broken || st->failed_code == SQLITE_READONLY_RECOVERY ||
           st->failed_code == SQLITE_READONLY_CANTINIT;
}

/* -wal or -shm is missing, or may not be read (facts 1.1). */
static bool lacks_log(struct store *st)
{
    return st->failed_code == SQLITE_READONLY_DIRECTORY ||
           st->failed_code == SQLITE_READONLY_CANTINIT ||
           (st->failed_code & 0xff) == SQLITE_CANTOPEN;
}

static enum store_rc read_now(struct store *st)
{
    sqlite3_stmt *s = statement_get(st, STMT_READ_NOW);
    enum store_rc rc = s != NULL ? statement_run(st, s) : STORE_FAIL;
    st->reading = rc == STORE_OK;
    return rc;
}

static enum store_rc open_and_look(const char *path, bool to_ask, struct store **ret)
{
    enum store_rc rc = open_connection(path, SQLITE_OPEN_READONLY, STORE_READ_TIMEOUT_MS, ret);
    if (rc == STORE_OK && to_ask)
        rc = read_now(*ret);
    /* The first statement is where the schema is read and all that can be wrong shows. */
    if (rc == STORE_OK && statement_get(*ret, STMT_KEY_FIND) == NULL)
        rc = STORE_FAIL;
    return rc;
}

static enum store_rc open_read(const char *path, bool to_ask, struct store **ret,
                               char err[static STORE_ERROR_BYTES])
{
    const struct timespec pause = {.tv_nsec = STORE_RETRY_MS * 1000000L};
    struct store *st = NULL;
    struct stat sb;

    /* Opening a FIFO would wait for ever, and a directory is no file: ask before SQLite does. */
    if (stat(path, &sb) != 0) {
        open_failed(err, path, strerror(errno));
        return STORE_FAIL;
    }
    if (!S_ISREG(sb.st_mode)) {
        open_failed(err, path, "it is not a regular file");
        return STORE_FAIL;
    }
    if (guarded_is_called_for(path) && guarded_open(path, ret) == STORE_OK)
        return STORE_OK;
    enum store_rc rc = open_and_look(path, to_ask, &st);
    for (int i = 0; rc != STORE_OK && st != NULL && i < STORE_RETRIES && store_failure_passes(st);
         i++) {
        store_close(st);
        st = NULL;
        store_arena_reset();
        (void)nanosleep(&pause, NULL);
        rc = open_and_look(path, to_ask, &st);
    }
    if (rc != STORE_OK && st != NULL && lacks_log(st)) {
        struct store *guarded = NULL;
        if (guarded_open(path, &guarded) == STORE_OK) {
            store_close(st);
            st = guarded;
            rc = STORE_OK;
        }
    }
    if (rc == STORE_OK) {
        place_note_main(st, path, &sb);
        *ret = st;
        return STORE_OK;
    }
    open_failed(err, path, st != NULL ? st->error : "out of memory");
    store_close(st);
    return rc;
}

enum store_rc store_open_read(const char *path, struct store **ret,
                              char err[static STORE_ERROR_BYTES])
{
    return open_read(path, false, ret, err);
}

enum store_rc store_open_ask(const char *path, struct store **ret,
                             char err[static STORE_ERROR_BYTES])
{
    return open_read(path, true, ret, err);
}

void store_close_files(struct store *st)
{
    const int on = 1;
    /* The last to close empties the log into its file, and another one's may lie there now. */
    if (st->db != NULL && st->files[1].inode != 0 && store_look(st) != STORE_IN_PLACE)
        (void)sqlite3_db_config(st->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, on, NULL);
    for (size_t i = 0; i < STMT__MAX; i++) {
        (void)sqlite3_finalize(st->prepared[i]);
        st->prepared[i] = NULL;
    }
    (void)sqlite3_close(st->db);
    st->db = NULL;
    guarded_close(st);
}

void store_close(struct store *st)
{
    if (st == NULL)
        return;
    store_close_files(st);
    free(st);
}

const char *store_error(const struct store *st)
{
    return st->error;
}
