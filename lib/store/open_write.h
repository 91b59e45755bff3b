/* SPDX-License-Identifier: ISC */
/* Opens the store to write. */
#ifndef TUNLEASE_STORE_OPEN_WRITE_H
#define TUNLEASE_STORE_OPEN_WRITE_H

#include "lib/store/store.h"

enum { STORE_WRITE_TIMEOUT_MS = 5000 }; /* docs/design.md 9 */

/*
 * Opens the store to read and write. The directory must exist. If it contains no file of the store
 * but an empty -wal and -shm, a store without leases is created (mode 0640, group of the
 * directory). An existing empty database is refused: its contents are lost, and must not be
 * replaced by an empty store. Run it as the owner of the directory: see lib/base/privilege.h. path
 * must contain no symbolic link.
 */
enum store_rc store_open_write(const char *path, struct store **ret,
                               char err[static STORE_ERROR_BYTES]);

/* As store_open_write, but does not create a missing store. */
enum store_rc store_open_existing(const char *path, struct store **ret,
                                  char err[static STORE_ERROR_BYTES]);

#endif
