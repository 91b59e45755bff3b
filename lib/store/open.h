/* SPDX-License-Identifier: ISC */
/* Inside lib/store: what opening to read and opening to write share. */
#ifndef TUNLEASE_STORE_OPEN_H
#define TUNLEASE_STORE_OPEN_H

#include "lib/store/store.h"

struct stat;

struct store *store_new(void); /* not yet open, for store_close; NULL: out of memory */
enum store_rc open_connection(struct store *st, const char *path, int flags, int timeout_ms);
void open_failed(char err[static STORE_ERROR_BYTES], const char *path, const char *why);

/* Brings a store, new or old, to STORE_VERSION. */
enum store_rc store_migrate(struct store *st);

/* What is open, for lib/store/place.h: by a look before a file was opened to be read, and by one
 * after all were opened to be written. */
void place_note_main(struct store *st, const char *path, const struct stat *sb);
enum store_rc place_note_all(struct store *st, const char *path);

/* All but the memory. */
void store_close_files(struct store *st);

#endif
