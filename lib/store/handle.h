/* SPDX-License-Identifier: ISC */
/* Inside lib/store: the open store. The other files of this directory share its fields. */
#ifndef TUNLEASE_STORE_HANDLE_H
#define TUNLEASE_STORE_HANDLE_H

#include "lib/store/files.h"
#include "lib/store/store.h"

#include "store_sql.h" /* generated */

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct store {
    sqlite3 *db;
    sqlite3_stmt *prepared[STMT__MAX];
    bool in_transaction;
    int64_t step_since_ms; /* when the running statement was first seen to take long; 0: not yet */
    bool took_too_long;    /* a statement was stopped for that */
    int failed_code;  /* SQLite's code of the failure in `error`; the connection forgets it at the
                         next call */
    bool transient;   /* a read without the log was not intact: no failure counts */
    int immutable_fd; /* -1, or the lock of a store that is read without its log: immutable.h */
    struct stat immutable_before;
    /* store_query has already begun what snapshot_begin would begin */
    bool reading;
    int read_depth; /* calls of snapshot_begin that were not ended */
    /* Which files are open: place.h */
    char path[STORE_PATH_BYTES];
    struct store_file files[STORE_FILES];
    /* change time and size of the main file when it was last seen to be whole */
    int64_t checked_ns;
    off_t checked_bytes;
    int migrated_from;                 /* the version that this connection has migrated; 0: none */
    char error[STORE_ERROR_BYTES / 2]; /* a path and a sentence are added around it */
};

#endif
