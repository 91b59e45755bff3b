/* SPDX-License-Identifier: ISC */
/* Inside lib/store: the statements of sql/restore.sql, each of which runs once. */
#ifndef TUNLEASE_STORE_BACKUP_ONCE_H
#define TUNLEASE_STORE_BACKUP_ONCE_H

#include "lib/store/statement.h"

#include "restore_sql.h" /* generated */

/* Values of parameters; a statement gets those that it has. */
struct once_values {
    int64_t now_s, head, pruned, seq, by;
};

/* Prepares and binds. End it with sqlite3_finalize. NULL: it failed, see store_error. */
sqlite3_stmt *once_get(struct store *st, enum restore_id id, const struct once_values *v);

/* Runs a statement that returns no row. */
enum store_rc once_execute(struct store *st, enum restore_id id, const struct once_values *v);

#endif
