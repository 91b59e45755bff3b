/* SPDX-License-Identifier: ISC */
/* Inside lib/store: changes the tables of an older version into those of STORE_VERSION. */
#ifndef TUNLEASE_STORE_MIGRATE_H
#define TUNLEASE_STORE_MIGRATE_H

#include "lib/store/store.h"

/* Runs all migrations after that version, within a transaction; 0: builds a new store. */
enum store_rc store_build(struct store *st, int from_version);

/* Migrates a store of an older known version to STORE_VERSION. */
enum store_rc store_migrate(struct store *st);

#endif
