/* SPDX-License-Identifier: ISC */
/* Opening the store to read: for as long as the caller wants it, or for one question. */
#ifndef TUNLEASE_STORE_OPEN_READ_H
#define TUNLEASE_STORE_OPEN_READ_H

#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    STORE_READ_TIMEOUT_MS = 1000, /* of a reader who is in no hurry */
    STORE_PAUSE_MAX_MS = 50,      /* between attempts at opening, which begin 1 ms apart */
};

/* Read-only. STORE_FAIL: err says what and what to do. */
enum store_rc store_open_read(const char *path, struct store **ret,
                              char err[static STORE_ERROR_BYTES]);

/*
 * One question, on a store that is opened for it and closed again. What fails for a moment is asked
 * anew, after 1, 2, 4 .. STORE_PAUSE_MAX_MS, until until_ms of clock_monotonic_ms has come; what
 * does not pass by itself ends it at once. ask may be called several times, then, and returns
 * STORE_OK or STORE_NONE when it has its answer. Its first read transaction is under the lock that
 * the schema was read under, which saves six system calls. Not STORE_OK or STORE_NONE: err says
 * why, in SQLite's words where they are SQLite's.
 */
typedef enum store_rc (*store_query_fn)(void *ctx, struct store *st);
enum store_rc store_query(const char *path, int64_t until_ms, store_query_fn query, void *ctx,
                          char err[static STORE_ERROR_BYTES]);

/*
 * Whether the last failure passes by itself: the schema was just changed; a reader that may not
 * write -shm met a commit that was changing it, and gets told at once, where a writer would wait
 * (the busy timeout does not cover it: docs/sqlite-facts.md 1.3); or the store was
 * written while it was read without its log, and nothing that was seen then counts.
 */
bool store_failure_is_transient(const struct store *st);

#endif
