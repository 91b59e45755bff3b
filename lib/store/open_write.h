/* SPDX-License-Identifier: ISC */
/* Opening the store to write. */
#ifndef TUNLEASE_STORE_OPEN_WRITE_H
#define TUNLEASE_STORE_OPEN_WRITE_H

#include "lib/store/store.h"

enum { STORE_WRITE_TIMEOUT_MS = 5000 }; /* docs/design.md 9 */

/*
 * Read and write. The directory must be there; where no file of the store lies in it but an empty
 * -wal and -shm, a store without leases is made (0640, group from the directory). One that lies
 * there and is empty is refused: what it held is lost, and not to be made up. Run as the
 * directory's owner: see lib/base/privilege.h. path must name no symbolic link.
 */
enum store_rc store_open_write(const char *path, struct store **ret,
                               char err[static STORE_ERROR_BYTES]);

/* As store_open_write, but no store is made where there is none. */
enum store_rc store_open_existing(const char *path, struct store **ret,
                                  char err[static STORE_ERROR_BYTES]);

#endif
