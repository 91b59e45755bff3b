/* SPDX-License-Identifier: ISC */
#include "lib/store/immutable.h"

#include "lib/base/clock.h"
#include "lib/store/handle.h"

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { WAL_PATH_BYTES = STORE_PATH_BYTES + 4 };

/* SQLite's SHARED range of the database file (os.h). A reader locks it for reading; a writer that
 * wants to delete the -wal must lock it for writing. */
#define SHARED_FIRST 0x40000002
#define SHARED_SIZE 510

/* A log header has 32 bytes, a frame header 24, a page at least 512 (SQLite file format, 4.1, 4.2).
 * A shorter log contains no change, wherever its writer was killed. */
enum { WAL_FIRST_FRAME_END = 32 + 24 + 512 };

/*
 * A file that was written within the kernel's last clock tick can be written again without a change
 * of its time. CONFIG_HZ is 100 or more.
 */
enum { TICK_MS = 20 };

const char immutable_broken_text[] =
    "it was written while it was read without its write-ahead log: try again";

/* A log that cannot be examined counts as not empty. */
static off_t wal_bytes(const char *path)
{
    char wal_path[WAL_PATH_BYTES];
    struct stat st;
    if (snprintf(wal_path, sizeof(wal_path), "%s-wal", path) >= (int)sizeof(wal_path))
        return WAL_FIRST_FRAME_END;
    if (stat(wal_path, &st) == 0)
        return st.st_size;
    return errno == ENOENT ? 0 : WAL_FIRST_FRAME_END;
}

static bool wal_is_empty(const char *path)
{
    return wal_bytes(path) < WAL_FIRST_FRAME_END;
}

bool immutable_is_needed(const char *path)
{
    off_t bytes = wal_bytes(path);
    return bytes > 0 && bytes < WAL_FIRST_FRAME_END;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool same_state(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && same_time(&a->st_mtim, &b->st_mtim) &&
           same_time(&a->st_ctim, &b->st_ctim) && a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

/* True if any write from now on must change the time of the file. */
static bool next_write_shows(const struct stat *st)
{
    int64_t age_ms =
        clock_now_ms() - ((int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000);
    return age_ms > TICK_MS || age_ms < -1000;
}

/* Uses an open file description lock: the process's other locks on a file are lost when any
 * descriptor of the file is closed, and SQLite closes some. */
int immutable_begin(struct store *st, const char *path)
{
    struct flock shared = {
        .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = SHARED_FIRST, .l_len = SHARED_SIZE};
    const struct timespec tick = {.tv_nsec = TICK_MS * 1000000L};
    if (strlcpy(st->path, path, sizeof(st->path)) >= sizeof(st->path))
        return -1;
    st->immutable_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (st->immutable_fd < 0)
        return -1;
    if (fcntl(st->immutable_fd, F_OFD_SETLK, &shared) != 0)
        return errno == EAGAIN || errno == EACCES ? 1 : -1;
    if (fstat(st->immutable_fd, &st->immutable_before) != 0)
        return -1;
    if (!next_write_shows(&st->immutable_before)) {
        (void)nanosleep(&tick, NULL);
        if (fstat(st->immutable_fd, &st->immutable_before) != 0 ||
            !next_write_shows(&st->immutable_before))
            return 1;
    }
    return wal_is_empty(path) ? 0 : 1;
}

bool immutable_is_intact(struct store *st)
{
    struct stat opened, there;
    if (st->immutable_fd < 0)
        return true;
    if (st->transient)
        return false;
    if (fstat(st->immutable_fd, &opened) == 0 && same_state(&opened, &st->immutable_before) &&
        lstat(st->path, &there) == 0 && same_state(&there, &opened) && wal_is_empty(st->path))
        return true;
    st->transient = true;
    (void)strlcpy(st->error, immutable_broken_text, sizeof(st->error));
    return false;
}

void immutable_close(struct store *st)
{
    if (st->immutable_fd >= 0)
        (void)close(st->immutable_fd);
    st->immutable_fd = -1;
}
