/* SPDX-License-Identifier: ISC */
/*
 * Inside lib/store: reading a store whose -wal and -shm are gone.
 *
 * The process that closes a WAL store last deletes both files, unless it asked to keep them. All of
 * our programs ask for that; a plain sqlite3 shell does not. After that, a reader without write
 * access cannot open the store, and every login would be refused until a writer comes
 * (docs/sqlite-facts.md 1.4). But then all data is in the main file, so it can be read alone, as
 * SQLite's immutable=1 does.
 *
 * immutable=1 without further checks would fail open: it ignores a -wal, and with it the last
 * revocations (docs/sqlite-facts.md 1.6). And a checkpoint during the read changes pages under the
 * reader, who then sees damage where there is none. So a read counts only while it is intact: the
 * -wal is missing or holds no change, and the file at the path is still the one that was opened,
 * unchanged. This is checked for every answer of SQLite, failures too, and once more at the end. A
 * lock prevents the deletion of a -wal throughout, since one that was written and deleted in
 * between would not be noticed.
 */
#ifndef TUNLEASE_STORE_IMMUTABLE_H
#define TUNLEASE_STORE_IMMUTABLE_H

#include "lib/store/store.h"

#include <stdbool.h>

/*
 * True if the -wal has a header but no frame, as a writer leaves it that was killed in between. A
 * reader that may not write -shm would wait for that writer for ever, and no timeout of SQLite
 * applies.
 */
bool immutable_is_needed(const char *path);

/*
 * Locks the main file and records the state of the files. Returns 0; 1: not possible at the moment;
 * -1: not possible, and errno says why.
 */
int immutable_begin(struct store *st, const char *path);

/*
 * True if everything that was read up to now is valid. Always true for a store that was opened in
 * another way. If false, store_error says so and store_failure_is_transient is true.
 */
bool immutable_is_intact(struct store *st);
extern const char immutable_broken_text[]; /* the reason when the read is not intact */

/* Call it before the store is closed. */
void immutable_close(struct store *st);

#endif
