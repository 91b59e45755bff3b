/* SPDX-License-Identifier: ISC */
/*
 * Inside lib/store: a database in a file that is open already. Whoever opened it decided which file
 * it is, and as whom; SQLite itself opens nothing. So root's copy of a store can be written while
 * the program is the owner of the store's directory, and no name can lead elsewhere. There are no
 * locks and no log: only this program may know the file.
 */
#ifndef TUNLEASE_STORE_BACKUP_FD_VFS_H
#define TUNLEASE_STORE_BACKUP_FD_VFS_H

#include "lib/store/store.h"

#include <stdbool.h>

/*
 * Opens the database in fd, which stays the caller's and must stay open. *ret in any case, for
 * store_error and store_close; NULL: out of memory. An empty file is an empty database. Temporary
 * data stays in memory.
 */
enum store_rc fd_open(int fd, struct store **ret);

/* Makes the header of the database in fd say that it needs a log beside it (wal), or none. 0, or -1
 * with errno set. */
int fd_set_wal(int fd, bool wal);

#endif
