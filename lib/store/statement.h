/* SPDX-License-Identifier: ISC */
/* Inside lib/store: prepares, binds and steps statements. */
#ifndef TUNLEASE_STORE_STATEMENT_H
#define TUNLEASE_STORE_STATEMENT_H

#include "lib/store/handle.h"

struct buf;
struct lease_range;

/*
 * statement_get and statement_step try again by themselves after a failure that is soon over: the
 * schema was changed since it was read, or a commit is just changing the log's index. Both can
 * happen only at the start of a read transaction, so no row was returned yet.
 */

/* Prepares a statement at its first use; it is ready to bind. NULL: it failed, see store_error. */
sqlite3_stmt *statement_get(struct store *st, enum stmt_id id);

/* Bind by the parameter's name with its colon. Texts must live until statement_done. Binding fails
 * only for lack of memory, which the next step reports. */
void bind_int(sqlite3_stmt *s, const char *param, int64_t value);
void bind_text(sqlite3_stmt *s, const char *param, const char *value);
void bind_blob(sqlite3_stmt *s, const char *param, const void *mem, size_t bytes);
/* Binds a buffer's text; fails if the buffer is out of memory. */
enum store_rc bind_buf(struct store *st, sqlite3_stmt *s, const char *param,
                       const struct buf *value);

/* STORE_OK: a row. STORE_NONE: no more rows. Anything else: store_error says why. */
enum store_rc statement_step(struct store *st, sqlite3_stmt *s);
/* Runs a statement that returns no row. STORE_OK: done. */
enum store_rc statement_execute(struct store *st, sqlite3_stmt *s);
void statement_done(sqlite3_stmt *s); /* accepts NULL */
/* As statement_execute, for a statement that changes rows. STORE_NONE: it changed none. */
enum store_rc statement_change(struct store *st, sqlite3_stmt *s);
/* As statement_change, for a statement with :id and perhaps :now_s. */
enum store_rc statement_change_row(struct store *st, enum stmt_id id, int64_t row_id,
                                   int64_t now_s);
/* Gets a statement about a range of leases, with :after and :last bound. */
sqlite3_stmt *statement_get_range(struct store *st, enum stmt_id id,
                                  const struct lease_range *range);
/* Runs SQL text that is not in sql/queries.sql and returns no row. */
enum store_rc execute_sql(struct store *st, const char *sql);
/* Reads a number: the only column of the only row of a statement without parameters. */
enum store_rc statement_number(struct store *st, enum stmt_id id, int64_t *ret);

/* A column as text: never NULL. */
const char *column_text(sqlite3_stmt *s, int column);
/* Copies a column as text. 0, or -1 if it does not fit. */
int column_copy(sqlite3_stmt *s, int column, char *out, size_t out_bytes);

#endif
