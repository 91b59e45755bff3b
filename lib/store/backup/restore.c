/* SPDX-License-Identifier: ISC */
#include "lib/store/backup/restore.h"

#include "lib/lease/time_text.h"
#include "lib/store/backup/fd_vfs.h"
#include "lib/store/backup/merge.h"
#include "lib/store/connection.h"
#include "lib/store/failure.h"
#include "lib/store/handle.h"
#include "lib/store/make.h"
#include "lib/store/migrate.h"
#include "lib/store/place.h"
#include "lib/store/version.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPY_BYTES = 256 * 1024 };

struct store_restore {
    int fd;
    struct store *work;
    bool attached;
    struct store *live;   /* locked by copy */
    sqlite3_backup *copy; /* of work into live */
    struct store_contents backup;
};

/* ---- reading the backup ---- */

static const char magic[] = "SQLite format 3";

static enum store_rc say(char err[static STORE_ERROR_BYTES], enum store_rc rc, const char *why)
{
    (void)snprintf(err, STORE_ERROR_BYTES, "%s", why);
    return rc;
}

static int write_all(int fd, const char *from, size_t bytes)
{
    while (bytes > 0) {
        ssize_t n = write(fd, from, bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        from += n;
        bytes -= (size_t)n;
    }
    return 0;
}

static enum store_rc copy_bytes(int from_fd, int to_fd, store_progress_fn progress, void *ctx,
                                char err[static STORE_ERROR_BYTES])
{
    struct stat sb;
    int64_t done = 0;
    ssize_t n;
    char *bytes = malloc(COPY_BYTES);
    enum store_rc rc = STORE_OK;
    if (bytes == NULL || fstat(from_fd, &sb) != 0 || lseek(to_fd, 0, SEEK_SET) != 0)
        rc = say(err, STORE_FAIL, strerror(errno));
    while (rc == STORE_OK && (n = pread(from_fd, bytes, COPY_BYTES, done)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            rc = say(err, STORE_FAIL, strerror(errno));
        else if (done == 0 &&
                 ((size_t)n < sizeof(magic) || memcmp(bytes, magic, sizeof(magic)) != 0))
            rc = say(err, STORE_NONE, "it is no backup of a lease store");
        else if (write_all(to_fd, bytes, (size_t)n) != 0) {
            (void)snprintf(err, STORE_ERROR_BYTES, "cannot copy it beside the store: %s",
                           strerror(errno));
            rc = STORE_FAIL;
        } else {
            done += n;
            progress(ctx, sb.st_size > done ? (unsigned)(100 * done / sb.st_size) : 100);
        }
    }
    free(bytes);
    if (rc == STORE_OK && done == 0)
        rc = say(err, STORE_NONE, "it is empty, and no backup of a lease store");
    return rc;
}

/* The version says which tables it must have; only when they are those is more of it read. */
static enum store_rc check(struct store *work, struct store_contents *ret)
{
    int version = 0;
    enum store_rc rc = store_check_version(work, &version);
    if (rc != STORE_OK && strcmp(work->error, store_is_empty) == 0)
        (void)store_failed_because(work, "it is no backup of a lease store");
    if (rc == STORE_OK)
        rc = contents_check_schema(work, version, false);
    if (rc != STORE_OK)
        return STORE_NONE;
    sqlite3_progress_handler(work->db, 0, NULL, NULL);
    if (version < STORE_VERSION && store_migrate(work) != STORE_OK)
        return STORE_NONE;
    return contents_check(work, ret) == STORE_OK ? STORE_OK : STORE_NONE;
}

enum store_rc restore_open(int from_fd, int work_fd, store_progress_fn progress, void *ctx,
                           struct store_restore **ret, struct store_contents *ret_backup,
                           char err[static STORE_ERROR_BYTES])
{
    struct store_restore *r = calloc(1, sizeof(*r));
    if (r == NULL)
        return say(err, STORE_FAIL, "out of memory");
    r->fd = work_fd;
    enum store_rc rc = copy_bytes(from_fd, work_fd, progress, ctx, err);
    if (rc == STORE_OK && fd_set_wal(work_fd, false) != 0)
        rc = say(err, STORE_FAIL, strerror(errno));
    if (rc == STORE_OK) {
        rc = fd_open(work_fd, &r->work) == STORE_OK ? check(r->work, &r->backup) : STORE_NONE;
        if (rc != STORE_OK)
            (void)say(err, rc, r->work != NULL ? r->work->error : "out of memory");
    }
    if (rc != STORE_OK) {
        restore_close(r);
        return rc;
    }
    *ret_backup = r->backup;
    *ret = r;
    return STORE_OK;
}

/* ---- the store that is replaced ---- */

enum store_rc restore_attach(struct store_restore *r, const char *path)
{
    enum store_rc rc = merge_attach(r->work, path);
    r->attached = rc == STORE_OK;
    return rc;
}

void restore_detach(struct store_restore *r)
{
    if (r->attached)
        merge_detach(r->work);
    r->attached = false;
}

void restore_give_up(struct store_restore *r)
{
    restore_detach(r);
    if (r->copy != NULL) /* gives the lock back, and changes nothing */
        (void)sqlite3_backup_finish(r->copy);
    r->copy = NULL;
    r->live = NULL;
}

enum store_rc restore_lock(struct store_restore *r, struct store *live)
{
    r->copy = sqlite3_backup_init(live->db, "main", r->work->db, "main");
    if (r->copy == NULL)
        return store_failed(live, SQLITE_ERROR);
    r->live = live;
    /* No page yet, but the lock that a writer has. */
    int rc = sqlite3_backup_step(r->copy, 0);
    if (rc == SQLITE_OK)
        return store_in_place(live);
    (void)sqlite3_backup_finish(r->copy);
    r->copy = NULL;
    return store_failed(live, rc);
}

enum store_rc restore_merge(struct store_restore *r, const struct restore_request *req,
                            struct restore_result *ret)
{
    return merge_run(r->work, r->attached, req, &r->backup, ret);
}

struct store *restore_store(struct store_restore *r)
{
    return r->work;
}

/* ---- it becomes the store ---- */

enum store_rc restore_commit(struct store_restore *r)
{
    enum store_rc rc = store_in_place(r->live);
    if (rc != STORE_OK)
        return rc;
    restore_detach(r);
    int sqlite_rc = sqlite3_backup_step(r->copy, -1);
    (void)sqlite3_backup_finish(r->copy);
    r->copy = NULL;
    if (sqlite_rc != SQLITE_DONE)
        return store_failed(r->live, sqlite_rc);
    rc = store_in_place(r->live);
    if (rc == STORE_OK)
        (void)store_checkpoint(r->live); /* a later one can do it, too */
    return rc;
}

int restore_finish_file(struct store_restore *r)
{
    restore_detach(r);
    store_close(r->work);
    r->work = NULL;
    return fd_set_wal(r->fd, true) == 0 && fsync(r->fd) == 0 ? 0 : -1;
}

int restore_make_room(const char *path, int64_t now_s, char *ret_aside, size_t bytes)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    char time[TIME_TEXT_BYTES], name[STORE_NAME_BYTES], aside[STORE_NAME_BYTES + 40];
    time_format_rfc3339(now_s, time);
    *ret_aside = '\0';
    /* The database first: what is without one is no store, and nobody reads its log. */
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        (void)snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
        (void)snprintf(aside, sizeof(aside), "%s-replaced-%s%s", path, time, suffixes[i]);
        if (rename(name, aside) == 0) {
            if (i == 0)
                (void)snprintf(ret_aside, bytes, "%s", aside);
        } else if (errno != ENOENT)
            return -1;
    }
    for (size_t i = 1; i < STORE_FILES; i++) {
        store_file_name(path, i, name);
        if (store_make_empty(name) != 0 && errno != EEXIST)
            return -1;
    }
    return 0;
}

const char *restore_error(const struct store_restore *r)
{
    return r->work->error;
}

void restore_close(struct store_restore *r)
{
    if (r == NULL)
        return;
    restore_give_up(r);
    store_close(r->work);
    free(r);
}
