/* SPDX-License-Identifier: ISC */
/*
 * Makes a backup the store again. The backup is copied into a work file of the caller's, checked
 * there, and given what was taken away since it was made. Then it either becomes the contents of a
 * sound store, in one commit (restore_commit): all who have that store open see old or new, and
 * whoever is killed leaves old or new. Or, where no sound store is, the work file itself becomes
 * the store (restore_finish_file), under the name that restore_make_room has made free.
 *
 *   restore_open, [restore_attach, restore_lock], restore_merge,
 *   restore_commit or restore_finish_file, restore_close
 */
#ifndef TUNLEASE_STORE_BACKUP_RESTORE_H
#define TUNLEASE_STORE_BACKUP_RESTORE_H

#include "lib/store/backup/copy.h"
#include "lib/store/backup/found.h"
#include "lib/store/store.h"

#include <stddef.h>
#include <stdint.h>

struct store_restore;

/*
 * Copies the backup from_fd into the empty file work_fd, and checks it there; an older version is
 * migrated. Both stay the caller's. STORE_NONE: it is no sound backup; STORE_FAIL: it cannot be
 * read, or the work file not be written; err says which. *ret: end it with restore_close.
 */
enum store_rc restore_open(int from_fd, int work_fd, store_progress_fn progress, void *ctx,
                           struct store_restore **ret, struct store_contents *ret_backup,
                           char err[static STORE_ERROR_BYTES]);

/* The store at path is what the restore replaces. STORE_NONE: it is not sound, and
 * restore_error says why. */
enum store_rc restore_attach(struct store_restore *r, const char *path);
void restore_detach(struct store_restore *r);

/* The store that was attached cannot be read after all: gives its lock back, and leaves it as it
 * is. The work file is as after restore_open. */
void restore_give_up(struct store_restore *r);

/* From now on nobody else can write to live, the store that was attached, until restore_commit or
 * restore_close. live must be open to write, and is not used otherwise in between. */
enum store_rc restore_lock(struct store_restore *r, struct store *live);

/* Takes over what was taken away, and adds the row of the audit. */
enum store_rc restore_merge(struct store_restore *r, const struct restore_request *req,
                            struct restore_result *ret);

/* The store as it will be, to judge sessions by. */
struct store *restore_store(struct store_restore *r);

/* Replaces the contents of live. STORE_FAIL: nothing was changed, unless store_error(live) says
 * otherwise. */
enum store_rc restore_commit(struct store_restore *r);

/* The work file is a store now, and on disk. Closes it. 0, or -1 with errno set. */
int restore_finish_file(struct store_restore *r);

/*
 * Makes room at path for a new store: what lies there is given another name, *ret_aside ("": there
 * was nothing), and an empty log is made. 0, or -1 with errno set.
 */
int restore_make_room(const char *path, int64_t now_s, char *ret_aside, size_t bytes);

const char *restore_error(const struct store_restore *r);
void restore_close(struct store_restore *r); /* accepts NULL */

#endif
