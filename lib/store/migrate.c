/* SPDX-License-Identifier: ISC */
#include "lib/store/migrate.h"

#include "lib/store/statement.h"
#include "lib/store/transaction.h"
#include "lib/store/version.h"

#include <stdio.h>

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
        rc = store_check_version(st, &version); /* another process may have migrated it first */
    if (rc == STORE_OK)
        rc = store_build(st, version);
    if (rc == STORE_OK)
        rc = store_commit(st);
    store_rollback(st);
    return rc;
}
