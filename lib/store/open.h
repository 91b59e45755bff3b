/* SPDX-License-Identifier: ISC */
/* Inside lib/store: opens and closes a connection and its files, for reading or writing. */
#ifndef TUNLEASE_STORE_OPEN_H
#define TUNLEASE_STORE_OPEN_H

#include "lib/store/store.h"

struct store *store_new(void); /* not open yet; end it with store_close. NULL: out of memory */
enum store_rc open_connection(struct store *st, const char *path, int flags, int timeout_ms);
/* The same with the named VFS; NULL: SQLite's default. */
enum store_rc open_with_vfs(struct store *st, const char *path, int flags, int timeout_ms,
                            const char *vfs);

/* Sets write-ahead logging, which is stored in the database file. */
enum store_rc store_set_wal(struct store *st);

/* Closes everything but does not free st. */
void store_close_files(struct store *st);

#endif
