/* SPDX-License-Identifier: ISC */
/*
 * Opens the store to write: creates it if it is missing, with modes that let akc read it, and with
 * settings that keep it readable even if the writer is killed.
 */
#include "lib/store/open_write.h"

#include "lib/store/connection.h"
#include "lib/store/failure.h"
#include "lib/store/make.h"
#include "lib/store/migrate.h"
#include "lib/store/open.h"
#include "lib/store/place.h"
#include "lib/store/statement.h"
#include "lib/store/version.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/*
 * SQLite gives -wal and -shm the mode of the database, so that mode must be right before the first
 * open (docs/sqlite-facts.md 1.5). A store is created only where none of its files exists: next to
 * a stray -wal, SQLite would fill a new database with pages of another store.
 */
static enum store_rc create_files(const char *path, bool may_create,
                                  char err[static STORE_ERROR_BYTES])
{
    char name[STORE_NAME_BYTES];
    struct stat sb;
    bool present[STORE_FILES];
    bool any = false, empty = false;

    for (size_t i = 0; i < STORE_FILES; i++) {
        store_file_name(path, i, name);
        present[i] = lstat(name, &sb) == 0;
        if (!present[i] && errno != ENOENT) {
            open_failed(err, name, strerror(errno));
            return STORE_FAIL;
        }
        any = any || (present[i] && sb.st_size > 0); /* tmpfiles.d may have created empty ones */
        empty = empty || (i == 0 && present[i] && sb.st_size == 0);
        if (present[i] && !S_ISREG(sb.st_mode)) {
            open_failed(err, name, "it is not a regular file");
            return STORE_FAIL;
        }
    }
    /* SQLite opens a journal even in WAL mode, and would hang on a FIFO. */
    (void)snprintf(name, sizeof(name), "%s-journal", path);
    if (lstat(name, &sb) == 0 && !S_ISREG(sb.st_mode)) {
        open_failed(err, name, "it is not a regular file");
        return STORE_FAIL;
    }
    if (empty) {
        open_failed(err, path, store_is_empty);
        return STORE_FAIL;
    }
    /* Another program may have made the store since the first of the three was looked for. */
    if (any && !present[0])
        present[0] = lstat(path, &sb) == 0 && S_ISREG(sb.st_mode);
    if (any && !present[0]) {
        open_failed(err, path,
                    "it is gone, but its -wal or -shm is still there: 'leasectl restore' a "
                    "backup, or move those two away");
        return STORE_FAIL;
    }
    if (!may_create && !present[0]) {
        open_failed(
            err, path,
            "it is missing, though leased is running or sessions that it admitted are open: "
            "put it back, or 'leasectl restore' a backup");
        return STORE_FAIL;
    }
    /* An empty -wal and -shm are valid, but if one is missing no reader gets in
     * (docs/sqlite-facts.md 1.4). Create them before the database, so that a reader who finds the
     * database finds them too. */
    for (size_t i = 1; i < STORE_FILES; i++) {
        store_file_name(path, i, name);
        if (!present[i] && store_make_empty(name) != 0 && errno != EEXIST) {
            open_failed(err, name, strerror(errno));
            return STORE_FAIL;
        }
    }
    return present[0] ? STORE_OK : store_make(path, STORE_WRITE_TIMEOUT_MS, err);
}

/* Settings: docs/sqlite-facts.md 3.1. The order matters. */
static enum store_rc configure(struct store *st)
{
    int persist = 1, on = 1;
    enum store_rc rc = store_set_wal(st);
    if (rc != STORE_OK)
        return rc;
    /* Otherwise the last process to close the store deletes -wal and -shm, and no reader without
     * write access gets in until a writer comes (docs/sqlite-facts.md 1.1). The setting belongs to
     * the connection: set it every time. */
    (void)sqlite3_file_control(st->db, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
    (void)sqlite3_db_config(st->db, SQLITE_DBCONFIG_DEFENSIVE, on, NULL);
    (void)sqlite3_db_config(st->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    /* FULL: a revocation that was reported as done survives a power failure (docs/sqlite-facts.md
     * 1.9). */
    return execute_sql(st, "PRAGMA synchronous=FULL; PRAGMA journal_size_limit=16777216;"
                           "PRAGMA wal_autocheckpoint=1000; PRAGMA cell_size_check=1;");
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
        rc = store_migrate_in_place(st, path);
    if (rc == STORE_OK && statement_get(st, STMT_KEY_FIND) == NULL)
        rc = STORE_FAIL;
    if (rc == STORE_OK)
        rc = place_record_all(st, path);
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

enum store_rc store_open_existing(const char *path, struct store **ret,
                                  char err[static STORE_ERROR_BYTES])
{
    return open_write(path, false, ret, err);
}
