/* SPDX-License-Identifier: ISC */
/* The version of a store's tables. A store of an unknown version is neither read nor written. */
#ifndef TUNLEASE_STORE_VERSION_H
#define TUNLEASE_STORE_VERSION_H

#include "lib/store/store.h"

enum {
    STORE_VERSION = 4,        /* PRAGMA user_version after the last of sql/migrate/ */
    STORE_VERSION_OLDEST = 1, /* the oldest that is read unchanged; a writer migrates it */
};

enum { STORE_BACKUP_NAME_BYTES = 512 + 32 };

/*
 * The name of the backup that a migration to that version makes of the store at path, beside it:
 * PATH-before-4. 0, or -1: too long.
 */
int store_backup_name(const char *path, int version, char out[static STORE_BACKUP_NAME_BYTES]);

/* ---- inside lib/store ---- */

/* The reason for refusing an empty file. */
extern const char store_is_empty[];

/* Reads the version. STORE_FAIL: it is unknown, and store_error says what to do. */
enum store_rc store_check_version(struct store *st, int *ret_version);

#endif
