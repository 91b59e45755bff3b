/* SPDX-License-Identifier: ISC */
/* Inside lib/store: SQLite's calls of the system for a reader, whose patience is his own. */
#ifndef TUNLEASE_STORE_READER_VFS_H
#define TUNLEASE_STORE_READER_VFS_H

#include <stdint.h>

/* For sqlite3_open_v2; NULL: SQLite's own. */
const char *reader_vfs(void);

/* Of clock_monotonic_ms, when the one who opens now waits no more; INT64_MAX: nobody opens. */
void reader_waits_until(int64_t until_ms);

#endif
