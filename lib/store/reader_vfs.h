/* SPDX-License-Identifier: ISC */
/* Inside lib/store: the SQLite VFS of a reader, which limits how long SQLite sleeps. */
#ifndef TUNLEASE_STORE_READER_VFS_H
#define TUNLEASE_STORE_READER_VFS_H

#include <stdint.h>

/* Name for sqlite3_open_v2; NULL: SQLite's default. */
const char *reader_vfs(void);

/* Sets until when (clock_monotonic_ms) the reader that is opening waits; INT64_MAX: no limit. */
void reader_waits_until(int64_t until_ms);

#endif
