/* SPDX-License-Identifier: ISC */
/* Opens the store to read: until store_close, or for one query. */
#ifndef TUNLEASE_STORE_OPEN_READ_H
#define TUNLEASE_STORE_OPEN_READ_H

#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    STORE_READ_TIMEOUT_MS = 1000, /* for a reader that is not akc */
    STORE_PAUSE_MAX_MS = 50,      /* between attempts; the first pause is 1 ms */
};

/* Opens the store read-only. STORE_FAIL: err says what failed and what to do. */
enum store_rc store_open_read(const char *path, struct store **ret,
                              char err[static STORE_ERROR_BYTES]);

/*
 * Opens the store, calls `query`, and closes the store; in a process that uses the arena, which
 * asks once and ends, it only ends the read and its locks. A transient failure is tried again after
 * 1, 2, 4 .. STORE_PAUSE_MAX_MS, until until_ms of clock_monotonic_ms; any other failure ends the
 * call at once. So query may be called several times; it returns STORE_OK or STORE_NONE when it has
 * its answer. Its first read transaction uses the lock under which the schema was read, which saves
 * six system calls. If store_query does not return STORE_OK or STORE_NONE, err says why; for
 * failures of SQLite in SQLite's words.
 */
typedef enum store_rc (*store_query_fn)(void *ctx, struct store *st);
enum store_rc store_query(const char *path, int64_t until_ms, store_query_fn query, void *ctx,
                          char err[static STORE_ERROR_BYTES]);

/*
 * True if the last failure may be gone at the next attempt: the schema was just changed; or a
 * reader without write access to -shm met a commit that was changing it (SQLite tells such a reader
 * at once, where a writer would wait; the busy timeout does not apply: docs/sqlite-facts.md 1.3);
 * or the store was written while it was read without its log, and then nothing that was read is
 * valid.
 */
bool store_failure_is_transient(const struct store *st);

#endif
