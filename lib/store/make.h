/* SPDX-License-Identifier: ISC */
/*
 * Inside lib/store: creates a store. It is built next to its place, as PATH-new, and appears at
 * PATH when it is complete. So a process that is killed meanwhile leaves no partial store at PATH,
 * which nobody could tell from a store that lost its leases. The next process that creates a store
 * clears what is left of PATH-new; two at once wait for each other with flock(2).
 */
#ifndef TUNLEASE_STORE_MAKE_H
#define TUNLEASE_STORE_MAKE_H

#include "lib/store/store.h"

/* Creates an empty store at path, where no file is; it appears there complete. STORE_OK too if
 * another process created it meanwhile. STORE_BUSY: another process has been creating it for longer
 * than the timeout. */
enum store_rc store_make(const char *path, int timeout_ms, char err[static STORE_ERROR_BYTES]);

/* Creates an empty file with the mode of a store's files. 0, or -1 with errno set. */
int store_make_empty(const char *name);

#endif
