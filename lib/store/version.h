/* SPDX-License-Identifier: ISC */
/* What a store's tables mean: one of a version that we do not know is not read, and not written. */
#ifndef TUNLEASE_STORE_VERSION_H
#define TUNLEASE_STORE_VERSION_H

#include "lib/store/store.h"

enum {
    STORE_VERSION = 2,        /* PRAGMA user_version after the last of sql/migrate/ */
    STORE_VERSION_OLDEST = 1, /* that can be read as it is; a writer migrates it */
};

/* ---- inside lib/store ---- */

/* In words: a file that holds nothing is no store. */
extern const char store_is_empty[];

/* Whether its version is one that we know; STORE_FAIL: store_error says what to do. */
enum store_rc store_check_version(struct store *st, int *ret_version);

#endif
