/* SPDX-License-Identifier: ISC */
#include "lib/store/migrate.h"

#include "lib/store/akc_knows.h"
#include "lib/store/handle.h"
#include "lib/store/statement.h"
#include "lib/store/transaction.h"
#include "lib/store/version.h"

#include <stdio.h>
#include <unistd.h>

enum store_rc store_build(struct store *st, int from_version)
{
    _Static_assert(sizeof(migration_table) / sizeof(migration_table[0]) == STORE_VERSION,
                   "STORE_VERSION counts sql/migrate/");
    char set_version[64];
    enum store_rc rc = STORE_OK;
    for (int i = from_version; rc == STORE_OK && i < STORE_VERSION; i++)
        rc = execute_sql(st, migration_table[i]);
    (void)snprintf(set_version, sizeof(set_version), "PRAGMA user_version=%d", STORE_VERSION);
    return rc == STORE_OK ? execute_sql(st, set_version) : rc;
}

enum store_rc store_migrate(struct store *st)
{
    int version = 0;
    enum store_rc rc = store_check_version(st, &version);
    if (rc != STORE_OK || version == STORE_VERSION)
        return rc;
    rc = store_begin(st);
    if (rc == STORE_OK)
        rc = store_build(st, version);
    if (rc == STORE_OK)
        rc = store_commit(st);
    store_rollback(st);
    return rc;
}

/* The lock is held. */
static enum store_rc keep_and_build(struct store *st, const char *path, int from_version)
{
    char name[STORE_BACKUP_NAME_BYTES];
    enum store_rc rc = store_keep_before_migration(st, path);
    if (rc != STORE_OK)
        return rc;
    rc = store_build(st, from_version);
    bool undone = rc != STORE_OK;
    if (rc == STORE_OK) {
        rc = store_commit(st);
        undone = store_transaction_is_open(st); /* else a commit that failed may take effect yet */
    }
    /* A backup beside a store that was not migrated only takes room. */
    if (undone && store_backup_name(path, STORE_VERSION, name) == 0)
        (void)unlink(name);
    if (rc == STORE_OK)
        st->migrated_from = from_version;
    return rc;
}

enum store_rc store_migrate_in_place(struct store *st, const char *path)
{
    int version = 0;
    enum store_rc rc = store_check_version(st, &version);
    if (rc != STORE_OK || version == STORE_VERSION)
        return rc;
    rc = akc_knows(st, STORE_VERSION);
    if (rc == STORE_OK)
        rc = store_begin(st);
    if (rc == STORE_OK)
        rc = store_check_version(st, &version); /* another process may have migrated it first */
    if (rc == STORE_OK && version != STORE_VERSION)
        rc = keep_and_build(st, path, version);
    store_rollback(st);
    /* Who reads the file's header without SQLite, to know its version, is told the right one. */
    if (rc == STORE_OK && st->migrated_from != 0)
        (void)sqlite3_wal_checkpoint_v2(st->db, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return rc;
}
