/* SPDX-License-Identifier: ISC */
/*
 * Opening the store to write: made where it is missing, with modes that let akc read it, and with
 * the settings that keep it readable whatever becomes of the writer.
 */
#include "lib/store/store.h"

#include "lib/store/open.h"
#include "lib/store/place.h"
#include "lib/store/statement.h"

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 512 };

static const char *const file_suffixes[] = {"", "-wal", "-shm"};

enum { FILE_COUNT = sizeof(file_suffixes) / sizeof(file_suffixes[0]) };

static void file_name(const char *path, size_t i, char out[static PATH_BYTES])
{
    (void)snprintf(out, PATH_BYTES, "%s%s", path, file_suffixes[i]);
}

/*
 * SQLite gives -wal and -shm the mode of the database, so that must be right before it is first
 * opened (facts 1.5). A store is made only where none of its files lies: beside a stray -wal a new
 * database would be filled with somebody else's pages.
 */
static enum store_rc create_files(const char *path, bool may_create,
                                  char err[static STORE_ERROR_BYTES])
{
    char name[PATH_BYTES];
    struct stat sb;
    bool present[FILE_COUNT];
    bool any = false, empty = false;

    for (size_t i = 0; i < FILE_COUNT; i++) {
        file_name(path, i, name);
        present[i] = lstat(name, &sb) == 0;
        any = any || (present[i] && sb.st_size > 0); /* tmpfiles.d may have put empty ones there */
        empty = empty || (i == 0 && present[i] && sb.st_size == 0);
        if (present[i] && !S_ISREG(sb.st_mode)) {
            open_failed(err, name, "it is not a regular file");
            return STORE_FAIL;
        }
    }
    /* SQLite looks into it, though WAL mode has no use for it: a FIFO would keep it there. */
    (void)snprintf(name, sizeof(name), "%s-journal", path);
    if (lstat(name, &sb) == 0 && !S_ISREG(sb.st_mode)) {
        open_failed(err, name, "it is not a regular file");
        return STORE_FAIL;
    }
    if (empty) {
        open_failed(err, path, store_is_empty);
        return STORE_FAIL;
    }
    if (any && !present[0]) {
        open_failed(err, path,
                    "it is gone, but its -wal or -shm still lies there: restore it from "
                    "a backup, or move those two away");
        return STORE_FAIL;
    }
    if (!may_create && !present[0]) {
        open_failed(
            err, path,
            "it is missing, though leased runs or sessions are up that it let in: put it back, "
            "or restore it from a copy");
        return STORE_FAIL;
    }
    /* An empty -wal and -shm are a valid state; a missing one locks everybody out (facts 1.4). They
     * come first: whoever finds the store finds them, too. */
    for (size_t i = 1; i < FILE_COUNT; i++) {
        file_name(path, i, name);
        if (!present[i] && store_make_empty(name) != 0 && errno != EEXIST) {
            open_failed(err, name, strerror(errno));
            return STORE_FAIL;
        }
    }
    return present[0] ? STORE_OK : store_make(path, err);
}

static enum store_rc run(struct store *st, const char *sql)
{
    st->step_since_ms = 0;
    int rc = sqlite3_exec(st->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? STORE_OK : store_failed(st, rc);
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

/* facts/sqlite-and-performance.md, recommended configuration; the order counts. */
static enum store_rc configure(struct store *st)
{
    int persist = 1, on = 1;
    enum store_rc rc = store_set_wal(st);
    if (rc != STORE_OK)
        return rc;
    /* Or whoever closes last deletes -wal and -shm, and every reader without write access is
     * locked out until a writer comes (facts 1.1). Belongs to the connection: set every time. */
    (void)sqlite3_file_control(st->db, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
    (void)sqlite3_db_config(st->db, SQLITE_DBCONFIG_DEFENSIVE, on, NULL);
    (void)sqlite3_db_config(st->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    /* FULL: a revocation, once said, survives a power cut (facts 1.9). */
    return run(st, "PRAGMA synchronous=FULL; PRAGMA journal_size_limit=16777216;"
                   "PRAGMA wal_autocheckpoint=1000; PRAGMA cell_size_check=1;");
}

enum store_rc store_build(struct store *st, int from_version)
{
    _Static_assert(sizeof(migration_table) / sizeof(migration_table[0]) == STORE_VERSION,
                   "STORE_VERSION counts sql/migrate/");
    char set_version[64];
    enum store_rc rc = STORE_OK;
    for (int i = from_version; rc == STORE_OK && i < STORE_VERSION; i++)
        rc = run(st, migration_table[i]);
    (void)snprintf(set_version, sizeof(set_version), "PRAGMA user_version=%d", STORE_VERSION);
    return rc == STORE_OK ? run(st, set_version) : rc;
}

enum store_rc store_migrate(struct store *st)
{
    int version = 0;

    enum store_rc rc = store_check_version(st, &version);
    if (rc != STORE_OK || version == STORE_VERSION)
        return rc;
    rc = store_begin(st);
    if (rc == STORE_OK)
        rc = store_check_version(st, &version); /* another process may have been first */
    if (rc == STORE_OK)
        rc = store_build(st, version);
    if (rc == STORE_OK)
        rc = store_commit(st);
    store_rollback(st);
    return rc;
}

static enum store_rc open_write(const char *path, bool may_create, struct store **ret,
                                char err[static STORE_ERROR_BYTES])
{
    enum store_rc rc = create_files(path, may_create, err);
    if (rc != STORE_OK)
        return rc;
    struct store *st = store_new();
    rc = open_connection(st, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW,
                         STORE_WRITE_TIMEOUT_MS);
    if (rc == STORE_OK)
        rc = configure(st);
    if (rc == STORE_OK)
        rc = store_migrate(st);
    if (rc == STORE_OK && statement_get(st, STMT_KEY_FIND) == NULL)
        rc = STORE_FAIL;
    if (rc == STORE_OK)
        rc = place_note_all(st, path);
    if (rc == STORE_OK) {
        *ret = st;
        return STORE_OK;
    }
    open_failed(err, path, st != NULL ? st->error : "out of memory");
    store_close(st);
    return rc;
}

enum store_rc store_open_write(const char *path, struct store **ret,
                               char err[static STORE_ERROR_BYTES])
{
    return open_write(path, true, ret, err);
}

enum store_rc store_open_again(const char *path, struct store **ret,
                               char err[static STORE_ERROR_BYTES])
{
    return open_write(path, false, ret, err);
}

enum store_rc store_begin(struct store *st)
{
    /* IMMEDIATE: a deferred one that reads first fails at once when another writer commits
     * meanwhile, whatever the timeout (facts 1.9). */
    enum store_rc rc = run(st, "BEGIN IMMEDIATE");
    st->in_transaction = rc == STORE_OK;
    if (rc == STORE_OK && store_in_place(st) != STORE_OK) {
        store_rollback(st);
        rc = STORE_FAIL;
    }
    return rc;
}

/* In the log, but that may be one that nobody reads any more. */
static enum store_rc committed_in_place(struct store *st)
{
    if (store_in_place(st) == STORE_OK)
        return STORE_OK;
    (void)strlcat(st->error,
                  "; this happened while it was written: whether the change was made is not known",
                  sizeof(st->error));
    return STORE_FAIL;
}

enum store_rc store_commit(struct store *st)
{
    enum store_rc rc = store_in_place(st);
    if (rc != STORE_OK)
        return rc; /* and nothing is changed */
    rc = run(st, "COMMIT");
    if (rc == STORE_OK) {
        st->in_transaction = false;
        rc = committed_in_place(st);
    } else if (rc ==
               STORE_FAIL) /* what reached the log before the disk failed may come back with it */
        (void)strlcat(st->error,
                      "; whether the change was made is not known: look before you try again",
                      sizeof(st->error));
    return rc;
}

void store_rollback(struct store *st)
{
    if (st->in_transaction)
        (void)sqlite3_exec(st->db, "ROLLBACK", NULL, NULL, NULL);
    st->in_transaction = false;
}

enum store_rc store_checkpoint(struct store *st)
{
    int rc = sqlite3_wal_checkpoint_v2(st->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    return rc == SQLITE_OK ? STORE_OK : store_failed(st, rc);
}
