/* SPDX-License-Identifier: ISC */
/* Inside lib/store: the few calls that every query is made of. */
#ifndef TUNLEASE_STORE_STATEMENT_H
#define TUNLEASE_STORE_STATEMENT_H

#include "lib/store/handle.h"

struct buf;
struct lease_range;

/*
 * Both of these try again by themselves what passes within a moment: a schema that was changed
 * since it was read, an index that a commit is just changing. It can be nothing but the start of a
 * read transaction, so no row was given yet.
 */

/* A statement, prepared on first use and ready to bind; NULL on failure (store_error is set). */
sqlite3_stmt *statement_get(struct store *st, enum stmt_id id);

/* By parameter name with its colon; texts must live until the statement is done. They cannot fail
 * but for memory, which the step then reports. */
void bind_int(sqlite3_stmt *s, const char *param, int64_t value);
void bind_text(sqlite3_stmt *s, const char *param, const char *value);
void bind_blob(sqlite3_stmt *s, const char *param, const void *mem, size_t bytes);
/* A buffer's text, or a failure when the buffer failed. */
enum store_rc bind_buf(struct store *st, sqlite3_stmt *s, const char *param,
                       const struct buf *value);

/* STORE_OK: a row. STORE_NONE: done. Anything else is set as store_error. */
enum store_rc statement_step(struct store *st, sqlite3_stmt *s);
/* Steps one that returns no row: STORE_OK when done. */
enum store_rc statement_execute(struct store *st, sqlite3_stmt *s);
void statement_done(sqlite3_stmt *s); /* accepts NULL */
/* As statement_execute for one that is to change rows. STORE_NONE: there was none. */
enum store_rc statement_change(struct store *st, sqlite3_stmt *s);
/* The same of a statement that takes :id and perhaps :now_s. */
enum store_rc statement_change_row(struct store *st, enum stmt_id id, int64_t row_id,
                                   int64_t now_s);
/* One about a range of leases: :after and :last are bound. */
sqlite3_stmt *statement_get_range(struct store *st, enum stmt_id id,
                                  const struct lease_range *range);
/* All of a text that no statement has, and that returns no row. */
enum store_rc execute_sql(struct store *st, const char *sql);
/* The only column of the only row of one without parameters. */
enum store_rc statement_number(struct store *st, enum stmt_id id, int64_t *ret);

/* A column as text: never NULL. */
const char *column_text(sqlite3_stmt *s, int column);
/* Copies a column that must fit. 0 or -1. */
int column_copy(sqlite3_stmt *s, int column, char *out, size_t out_bytes);

#endif
