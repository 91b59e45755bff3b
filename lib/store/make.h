/* SPDX-License-Identifier: ISC */
/*
 * Inside lib/store: a new store. It is made beside its place, as PATH-new, and appears there when
 * it is whole: whoever is killed meanwhile leaves no half of a store at the path, which could be
 * told from one that lost its leases by nobody. What is left of PATH-new is cleared away by the
 * next who makes one; two who do so at once wait for each other's flock(2).
 */
#ifndef TUNLEASE_STORE_MAKE_H
#define TUNLEASE_STORE_MAKE_H

#include "lib/store/store.h"

/* Makes an empty store at path, where nothing lies: all of it appears there at once. One that
 * somebody else made meanwhile is as good. STORE_BUSY: somebody is making it for too long. */
enum store_rc store_make(const char *path, int timeout_ms, char err[static STORE_ERROR_BYTES]);

/* Makes an empty file with the mode of a store's. 0, or -1 with errno set. */
int store_make_empty(const char *name);

#endif
