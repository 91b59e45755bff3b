/* SPDX-License-Identifier: ISC */
/* Makes a backup of an open store: one file, complete and sound. */
#ifndef TUNLEASE_STORE_BACKUP_COPY_H
#define TUNLEASE_STORE_BACKUP_COPY_H

#include "lib/store/backup/contents.h"
#include "lib/store/store.h"

typedef void (*store_progress_fn)(void *ctx, unsigned percent);

/*
 * Copies one state of the store, whoever writes meanwhile, into the empty file fd, and checks the
 * copy: that it is sound, and holds as many rows as the store. The file needs none beside it. It is
 * on disk when the call returns; its name is the caller's. STORE_FAIL: the store cannot be read;
 * STORE_CONFLICT: the copy cannot be written; STORE_NONE: it was, and is not sound, because the
 * store is not. err says what and why.
 */
enum store_rc store_copy(struct store *st, int fd, store_progress_fn progress, void *ctx,
                         struct store_contents *ret, char err[static STORE_ERROR_BYTES]);

/*
 * As store_copy, but of the copy only the pages and the number of rows are checked: a store to
 * which somebody has added a table, or whose audit chain is broken, has a copy, too. Within the
 * caller's transaction if there is one.
 */
enum store_rc store_copy_pages(struct store *st, int fd, store_progress_fn progress, void *ctx,
                               struct store_contents *ret, char err[static STORE_ERROR_BYTES]);

#endif
