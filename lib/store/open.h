/* SPDX-License-Identifier: ISC */
/* Inside lib/store: what opening to read and opening to write share. */
#ifndef TUNLEASE_STORE_OPEN_H
#define TUNLEASE_STORE_OPEN_H

#include "lib/store/store.h"

struct stat;

struct store *store_new(void); /* not yet open, for store_close; NULL: out of memory */
enum store_rc open_connection(struct store *st, const char *path, int flags, int timeout_ms);
void open_failed(char err[static STORE_ERROR_BYTES], const char *path, const char *why);

/* In words: a file that holds nothing is no store. */
extern const char store_is_empty[];

/* Whether its version is one that we know; STORE_FAIL: store_error says what to do. */
enum store_rc store_check_version(struct store *st, int *ret_version);

/* Makes an empty store at path, where nothing lies: all of it appears there at once. One that
 * somebody else made meanwhile is as good. STORE_BUSY: somebody is making it for too long. */
enum store_rc store_make(const char *path, char err[static STORE_ERROR_BYTES]);

/* Makes an empty file with the mode of a store's. 0, or -1 with errno set. */
int store_make_empty(const char *name);

/* Write-ahead logging, which belongs to the file. */
enum store_rc store_set_wal(struct store *st);

/* All that came after that version, within a transaction; 0: from nothing. */
enum store_rc store_build(struct store *st, int from_version);

/* Brings a store of a known version to STORE_VERSION. */
enum store_rc store_migrate(struct store *st);

/* What is open, for lib/store/place.h: by a look before a file was opened to be read, and by one
 * after all were opened to be written. */
void place_note_main(struct store *st, const char *path, const struct stat *sb);
enum store_rc place_note_all(struct store *st, const char *path);

/* All but the memory. */
void store_close_files(struct store *st);

#endif
