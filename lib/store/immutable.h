/* SPDX-License-Identifier: ISC */
/*
 * Inside lib/store: reading a store whose -wal and -shm are gone.
 *
 * Whoever closes a WAL store last deletes both files, unless it asked to keep them, as all of ours
 * do and a plain sqlite3 shell does not. From then on a reader that may write nothing cannot open
 * it, and every login would be refused until a writer comes (docs/sqlite-facts.md 1.4).
 * All data is in the main file then, so it can be read by itself, as SQLite's immutable=1 does.
 *
 * Alone that fails open: immutable ignores a -wal, and with it the last revocations
 * (docs/sqlite-facts.md 1.6); and a checkpoint that comes meanwhile changes pages under the reader,
 * who then sees damage where none is. So it is done only while the guard holds: the -wal is missing
 * or holds nothing, and the file at the path is the one that was opened, unchanged. That is asked
 * again for every answer that SQLite gives, failures too, and once more when all was read. A lock
 * that keeps a -wal from being deleted is held all along, since a deleted one could not be seen.
 */
#ifndef TUNLEASE_STORE_IMMUTABLE_H
#define TUNLEASE_STORE_IMMUTABLE_H

#include "lib/store/store.h"

#include <stdbool.h>

/*
 * Whether the -wal has a header and no frame, as a writer leaves it that was killed in between. A
 * reader that may not write -shm would wait for that writer for ever, with no timeout of SQLite's.
 */
bool immutable_is_needed(const char *path);

/*
 * Takes the lock and notes what the files are like. 0; 1: not just now; -1: not at all, and errno
 * says why.
 */
int immutable_begin(struct store *st, const char *path);

/*
 * Whether what was read up to now is the whole truth. Always true for a store opened otherwise;
 * false: store_error says so, and store_failure_is_transient is true.
 */
bool immutable_is_intact(struct store *st);
extern const char immutable_broken_text[]; /* in words */

/* Before the store is closed. */
void immutable_close(struct store *st);

#endif
