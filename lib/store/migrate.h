/* SPDX-License-Identifier: ISC */
/* Inside lib/store: from the tables of one version to those of the next. */
#ifndef TUNLEASE_STORE_MIGRATE_H
#define TUNLEASE_STORE_MIGRATE_H

#include "lib/store/store.h"

/* All that came after that version, within a transaction; 0: from nothing. */
enum store_rc store_build(struct store *st, int from_version);

/* Brings a store of a known version to STORE_VERSION. */
enum store_rc store_migrate(struct store *st);

#endif
