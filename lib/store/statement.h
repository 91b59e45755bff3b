/* SPDX-License-Identifier: ISC */
/* Inside lib/store: the open store, and the few calls that every query is made of. */
#ifndef TUNLEASE_STORE_STATEMENT_H
#define TUNLEASE_STORE_STATEMENT_H

#include "lib/store/store.h"

#include "store_sql.h" /* generated */

#include <sqlite3.h>
#include <sys/stat.h>

struct buf;

enum {
    STORE_FILES = 3, /* the database, -wal, -shm */
    STORE_PATH_BYTES = 512,
};

struct store {
    sqlite3 *db;
    sqlite3_stmt *prepared[STMT__MAX];
    bool in_transaction;
    int64_t
        step_since_ms; /* when the statement under way was first seen to take long; 0: not yet */
    int failed_code; /* SQLite's, of what is in error: the connection forgets it at the next call */
    bool passes;     /* the guard does not hold, so no failure counts */
    int guard_fd;    /* -1 but for a store that is read without its log: guarded.h */
    struct stat guard_before;
    /* store_ask began what read_begin would begin */
    bool reading;
    int read_depth; /* read_begins that have not ended */
    /* What is open: place.h. inode 0: not asked for */
    char path[STORE_PATH_BYTES];
    struct store_file {
        dev_t device;
        ino_t inode;
    } files[STORE_FILES];
    int64_t looked_ns; /* the main file as it was when it was last seen to be whole */
    off_t looked_bytes;
    char error[STORE_ERROR_BYTES / 2]; /* a path and a sentence go around it */
};

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
enum store_rc statement_run(struct store *st, sqlite3_stmt *s);
void statement_done(sqlite3_stmt *s); /* accepts NULL */
/* As statement_run for one that is to change rows. STORE_NONE: there was none. */
enum store_rc statement_change(struct store *st, sqlite3_stmt *s);
/* The only column of the only row of one without parameters. */
enum store_rc statement_number(struct store *st, enum stmt_id id, int64_t *ret);

/* One state of the store for all that is asked until read_end, and one lock for it. May be nested,
 * also in a transaction that writes; read_end is for a read_begin that returned STORE_OK. */
enum store_rc read_begin(struct store *st);
void read_end(struct store *st);

/* A column as text: never NULL. */
const char *column_text(sqlite3_stmt *s, int column);
/* Copies a column that must fit. 0 or -1. */
int column_copy(sqlite3_stmt *s, int column, char *out, size_t out_bytes);

/* Maps SQLite's result to ours and writes store_error. */
enum store_rc store_failed(struct store *st, int sqlite_rc);
enum store_rc store_damaged(struct store *st, const char *what, int64_t lease_id);

#endif
