/* SPDX-License-Identifier: ISC */
/*
 * Inside lib/store: what the backup that becomes the store takes over from the store that it
 * replaces (sql/restore.sql). The old store is attached to the backup's connection.
 */
#ifndef TUNLEASE_STORE_BACKUP_MERGE_H
#define TUNLEASE_STORE_BACKUP_MERGE_H

#include "lib/store/backup/contents.h"
#include "lib/store/backup/found.h"

/* Attaches the store at path, to read. STORE_NONE: it is no sound store of tunlease. */
enum store_rc merge_attach(struct store *work, const char *path);
void merge_detach(struct store *work);

/*
 * Makes all changes in one transaction on work, and reports them. has_old: a store is attached.
 * STORE_NONE: the old store cannot be read as a whole.
 */
enum store_rc merge_run(struct store *work, bool has_old, const struct restore_request *req,
                        const struct store_contents *backup, struct restore_result *ret);

#endif
