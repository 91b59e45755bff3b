/* SPDX-License-Identifier: ISC */
#include "lib/store/leave.h"

#include "lib/store/failure.h"
#include "lib/store/handle.h"
#include "lib/store/open.h"

#include <unistd.h>

static bool is_before(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec <= b->tv_nsec;
}

/* Two times of the file system may be equal although one write was later. Uses the change time,
 * which nobody can set: cp -a gives a log that it overwrites the modification time of its source.
 */
static bool was_written_since(const struct stat *wal, const struct stat *main)
{
    return wal->st_size > 0 && !is_before(&wal->st_ctim, &main->st_ctim);
}

static void remove_file(const struct store *st, size_t i)
{
    char name[STORE_NAME_BYTES];
    store_file_name(st->path, i, name);
    (void)unlink(name);
}

enum store_rc store_leave(struct store *st)
{
    enum { MAIN, WAL, SHM };
    struct stat sb[STORE_FILES];
    bool there[STORE_FILES], ours[STORE_FILES];
    int rc = SQLITE_OK;
    if (st->db == NULL)
        return STORE_OK;
    for (size_t i = 0; i < STORE_FILES; i++) {
        there[i] = store_file_stat(st->path, i, &sb[i]) == 0;
        ours[i] = there[i] && store_file_is(&st->files[i], &sb[i]);
    }
    const bool is_others_log = there[MAIN] && !ours[MAIN] && ours[WAL];
    if (is_others_log && was_written_since(&sb[WAL], &sb[MAIN])) {
        return store_failed_because(
            st, "it was replaced, but its -wal is the old one's, and was written since: stop "
                "what uses it, and restore all three files from one copy");
    }
    if (is_others_log || (ours[MAIN] && !there[WAL]))
        rc = sqlite3_wal_checkpoint_v2(st->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    if (rc != SQLITE_OK && (is_others_log || (rc & 0xff) == SQLITE_BUSY))
        return store_failed(st, rc);
    store_close_files(st);
    if (ours[SHM] && !(ours[MAIN] && ours[WAL])) /* an index of a log or database that is gone */
        remove_file(st, SHM);
    if (is_others_log)
        remove_file(st, WAL);
    return STORE_OK;
}
