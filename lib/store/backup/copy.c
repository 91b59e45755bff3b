/* SPDX-License-Identifier: ISC */
#include "lib/store/backup/copy.h"

#include "lib/store/backup/fd_vfs.h"
#include "lib/store/connection.h"
#include "lib/store/failure.h"
#include "lib/store/handle.h"
#include "lib/store/immutable.h"
#include "lib/store/snapshot.h"
#include "lib/store/version.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PAGES_AT_ONCE = 256 };

static enum store_rc say(char err[static STORE_ERROR_BYTES], enum store_rc rc, const char *what,
                         const char *why)
{
    (void)snprintf(err, STORE_ERROR_BYTES, "%s: %s", what, why);
    return rc;
}

/* The caller has a snapshot of st, so that a writer does not make it begin again. */
static enum store_rc copy_pages(struct store *st, struct store *copy, store_progress_fn progress,
                                void *ctx, char err[static STORE_ERROR_BYTES])
{
    int rc;
    sqlite3_backup *b = sqlite3_backup_init(copy->db, "main", st->db, "main");
    if (b == NULL) {
        (void)store_failed(copy, SQLITE_ERROR);
        return say(err, STORE_CONFLICT, "cannot begin the copy", copy->error);
    }
    while ((rc = sqlite3_backup_step(b, PAGES_AT_ONCE)) == SQLITE_OK) {
        int pages = sqlite3_backup_pagecount(b);
        if (pages > 0)
            progress(ctx, (unsigned)(100LL * (pages - sqlite3_backup_remaining(b)) / pages));
    }
    (void)sqlite3_backup_finish(b);
    if (rc == SQLITE_DONE)
        return STORE_OK;
    return say(err, STORE_CONFLICT, "cannot copy it",
               rc == SQLITE_FULL ? "the disk is full" : sqlite3_errstr(rc));
}

static bool same_counts(const struct store_contents *a, const struct store_contents *b)
{
    return a->version == b->version && a->leases == b->leases && a->keys == b->keys &&
           a->ports == b->ports && a->tokens == b->tokens;
}

/* Opens the copy anew, so that nothing comes from a cache. */
static enum store_rc check_copy(int fd, bool whole, const struct store_contents *source,
                                struct store_contents *ret, char err[static STORE_ERROR_BYTES])
{
    struct store *copy = NULL;
    int version = 0;
    enum store_rc rc = fd_open(fd, &copy);
    if (rc == STORE_OK)
        rc = store_check_version(copy, &version);
    if (rc == STORE_OK && whole)
        rc = contents_check_schema(copy, version, false);
    if (rc == STORE_OK) {
        sqlite3_progress_handler(copy->db, 0, NULL, NULL);
        rc = whole ? contents_check(copy, ret) : contents_check_pages(copy, ret);
    }
    if (rc != STORE_OK)
        rc = say(err, STORE_NONE, "the copy is of no use",
                 copy != NULL ? copy->error : "out of memory");
    else if (!same_counts(source, ret))
        rc = say(err, STORE_NONE, "the copy is of no use", "it has not as many rows as the store");
    store_close(copy);
    return rc;
}

static enum store_rc copy_snapshot(struct store *st, int fd, store_progress_fn progress, void *ctx,
                                   struct store_contents *ret_source,
                                   char err[static STORE_ERROR_BYTES])
{
    struct store *copy = NULL;
    enum store_rc rc = contents_count(st, ret_source);
    if (rc != STORE_OK)
        return say(err, STORE_FAIL, "cannot read the store", st->error);
    rc = fd_open(fd, &copy);
    if (rc != STORE_OK)
        rc = say(err, STORE_CONFLICT, "cannot make the copy",
                 copy != NULL ? copy->error : "out of memory");
    else
        rc = copy_pages(st, copy, progress, ctx, err);
    store_close(copy);
    if (rc == STORE_OK && !immutable_is_intact(st))
        rc = say(err, STORE_FAIL, "cannot read the store", st->error);
    return rc;
}

static enum store_rc copy_and_check(struct store *st, int fd, bool whole,
                                    store_progress_fn progress, void *ctx,
                                    struct store_contents *ret, char err[static STORE_ERROR_BYTES])
{
    struct store_contents source;
    enum store_rc rc = snapshot_begin(st);
    if (rc != STORE_OK)
        return say(err, STORE_FAIL, "cannot read the store", st->error);
    rc = copy_snapshot(st, fd, progress, ctx, &source, err);
    snapshot_end(st);
    if (rc != STORE_OK)
        return rc;
    /* Whoever opens the copy to read finds no log beside it, and needs none. */
    if (fd_set_wal(fd, false) != 0 || fsync(fd) != 0)
        return say(err, STORE_CONFLICT, "cannot write the copy", strerror(errno));
    return check_copy(fd, whole, &source, ret, err);
}

enum store_rc store_copy(struct store *st, int fd, store_progress_fn progress, void *ctx,
                         struct store_contents *ret, char err[static STORE_ERROR_BYTES])
{
    return copy_and_check(st, fd, true, progress, ctx, ret, err);
}

enum store_rc store_copy_pages(struct store *st, int fd, store_progress_fn progress, void *ctx,
                               struct store_contents *ret, char err[static STORE_ERROR_BYTES])
{
    return copy_and_check(st, fd, false, progress, ctx, ret, err);
}
