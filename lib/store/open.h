/* SPDX-License-Identifier: ISC */
/* Inside lib/store: a connection and its files, opened and closed, whatever for. */
#ifndef TUNLEASE_STORE_OPEN_H
#define TUNLEASE_STORE_OPEN_H

#include "lib/store/store.h"

struct store *store_new(void); /* not yet open, for store_close; NULL: out of memory */
enum store_rc open_connection(struct store *st, const char *path, int flags, int timeout_ms);

/* Write-ahead logging, which belongs to the file. */
enum store_rc store_set_wal(struct store *st);

/* All but the memory. */
void store_close_files(struct store *st);

#endif
