/* SPDX-License-Identifier: ISC */
#include "lib/store/connection.h"

#include "lib/store/failure.h"
#include "lib/store/open.h"
#include "lib/store/statement.h"

#include <stdlib.h>

void store_close(struct store *st)
{
    if (st == NULL)
        return;
    store_close_files(st);
    free(st);
}

bool store_took_too_long(const struct store *st)
{
    return st->took_too_long;
}

const char *store_error(const struct store *st)
{
    return st->error;
}

void store_set_timeout(struct store *st, int timeout_ms)
{
    (void)sqlite3_busy_timeout(st->db, timeout_ms);
}

int64_t store_rows_changed(const struct store *st)
{
    return sqlite3_total_changes64(st->db);
}

int store_migrated_from(const struct store *st)
{
    return st->migrated_from;
}

enum store_rc store_data_version(struct store *st, int64_t *ret)
{
    return statement_number(st, STMT_DATA_VERSION, ret);
}

enum store_rc store_generation(struct store *st, int64_t *ret)
{
    return statement_number(st, STMT_GENERATION, ret);
}

enum store_rc store_checkpoint(struct store *st)
{
    int rc = sqlite3_wal_checkpoint_v2(st->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    return rc == SQLITE_OK ? STORE_OK : store_failed(st, rc);
}
