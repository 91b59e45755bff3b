/* SPDX-License-Identifier: ISC */
/* Inside lib/store: changes the tables of an older version into those of STORE_VERSION. */
#ifndef TUNLEASE_STORE_MIGRATE_H
#define TUNLEASE_STORE_MIGRATE_H

#include "lib/store/store.h"

/* Runs all migrations after that version, within a transaction; 0: builds a new store. */
enum store_rc store_build(struct store *st, int from_version);

/* Migrates a store of an older known version to STORE_VERSION. Makes no backup: for a file that
 * nobody else knows. */
enum store_rc store_migrate(struct store *st);

/*
 * Migrates the store at path, which st has open, if it is of an older known version. Before that,
 * and while nobody else can write, its backup is made as store_backup_name says. STORE_FAIL: the
 * store is as it was, and store_error says why.
 */
enum store_rc store_migrate_in_place(struct store *st, const char *path);

/*
 * Makes that backup, and checks it; the caller is in a transaction and has changed nothing.
 * STORE_FAIL: none was made. Its code is in lib/store/backup, which lib/store does not include.
 */
enum store_rc store_keep_before_migration(struct store *st, const char *path);

#endif
