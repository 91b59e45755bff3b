/* SPDX-License-Identifier: ISC */
/* Inside lib/store: the open store, whose fields the files beside this one share. */
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
    int64_t step_since_ms; /* when the statement under way was first seen to take long; 0: not
                            * yet */
    int failed_code; /* SQLite's, of what is in error: the connection forgets it at the next call */
    bool transient;  /* the guard does not hold, so no failure counts */
    int immutable_fd; /* -1 but for a store that is read without its log: immutable.h */
    struct stat immutable_before;
    /* store_query began what snapshot_begin would begin */
    bool reading;
    int read_depth; /* read_begins that have not ended */
    /* What is open: place.h */
    char path[STORE_PATH_BYTES];
    struct store_file files[STORE_FILES];
    int64_t checked_ns; /* the main file as it was when it was last seen to be whole */
    off_t checked_bytes;
    char error[STORE_ERROR_BYTES / 2]; /* a path and a sentence go around it */
};

#endif
