/* SPDX-License-Identifier: ISC */
/* The version of a store's tables. A store of an unknown version is neither read nor written. */
#ifndef TUNLEASE_STORE_VERSION_H
#define TUNLEASE_STORE_VERSION_H

#include "lib/store/store.h"

enum {
    STORE_VERSION = 2,        /* PRAGMA user_version after the last of sql/migrate/ */
    STORE_VERSION_OLDEST = 1, /* the oldest that is read unchanged; a writer migrates it */
};

/* ---- inside lib/store ---- */

/* The reason for refusing an empty file. */
extern const char store_is_empty[];

/* Reads the version. STORE_FAIL: it is unknown, and store_error says what to do. */
enum store_rc store_check_version(struct store *st, int *ret_version);

#endif
