/* SPDX-License-Identifier: ISC */
#include "lib/store/make.h"

#include "lib/base/clock.h"
#include "lib/base/durable.h"
#include "lib/store/connection.h"
#include "lib/store/failure.h"
#include "lib/store/handle.h"
#include "lib/store/migrate.h"
#include "lib/store/open.h"
#include "lib/store/transaction.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STORE_MODE = 0640, NAME_BYTES = STORE_PATH_BYTES + 16, POLL_MS = 5 };

static const char new_suffix[] = "-new";

int store_make_empty(const char *name)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, STORE_MODE);
    if (fd < 0)
        return -1;
    int rc = fchmod(fd, STORE_MODE); /* whatever the umask is */
    (void)close(fd);
    return rc;
}

static int lock_within(int fd, int timeout_ms)
{
    int64_t until_ms = clock_monotonic_ms() + timeout_ms;
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK || clock_monotonic_ms() >= until_ms)
            return -1;
        (void)poll(NULL, 0, POLL_MS);
    }
    return 0;
}

/* Makes the locked file empty, with its final mode, and removes files next to it that SQLite would
 * read into the new store. */
static int clear(const char *name, int fd)
{
    static const char *const suffixes[] = {"-wal", "-shm", "-journal"};
    char leftover[NAME_BYTES];
    struct stat sb;
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        (void)snprintf(leftover, sizeof(leftover), "%s%s", name, suffixes[i]);
        if (unlink(leftover) != 0 && errno != ENOENT)
            return -1;
    }
    if (fstat(fd, &sb) != 0 || fchmod(fd, STORE_MODE) != 0)
        return -1;
    if (!S_ISREG(sb.st_mode)) {
        errno = EINVAL;
        return -1;
    }
    return ftruncate(fd, 0);
}

static enum store_rc fill(const char *name, char err[static STORE_ERROR_BYTES])
{
    struct store *st = store_new();
    enum store_rc rc = open_connection(st, name, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, 0);
    if (rc == STORE_OK)
        rc = store_set_wal(st);
    if (rc == STORE_OK)
        rc = store_begin(st);
    if (rc == STORE_OK)
        rc = store_build(st, 0);
    if (rc == STORE_OK)
        rc = store_commit(st);
    if (rc == STORE_OK)
        rc = store_checkpoint(st);
    if (rc != STORE_OK)
        open_failed(err, name, st != NULL ? st->error : "out of memory");
    store_close(st);
    return rc;
}

/* True if name still is the locked file: another process may have put it in its final place. */
static bool has_name(int fd, const char *name)
{
    struct stat ours, there;
    return fstat(fd, &ours) == 0 && lstat(name, &there) == 0 && ours.st_ino == there.st_ino &&
           ours.st_dev == there.st_dev;
}

enum store_rc store_make(const char *path, int timeout_ms, char err[static STORE_ERROR_BYTES])
{
    char name[NAME_BYTES];
    struct stat sb;
    enum store_rc rc = STORE_FAIL;
    if (snprintf(name, sizeof(name), "%s%s", path, new_suffix) >= STORE_PATH_BYTES) {
        open_failed(err, path, strerror(ENAMETOOLONG));
        return STORE_FAIL;
    }
    int fd = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, STORE_MODE);
    if (fd < 0) {
        open_failed(err, name, strerror(errno));
        return STORE_FAIL;
    }
    if (lock_within(fd, timeout_ms) != 0) {
        rc = errno == EWOULDBLOCK ? STORE_BUSY : STORE_FAIL;
        open_failed(err, name, rc == STORE_BUSY ? "another program is making it" : strerror(errno));
        goto out;
    }
    if (lstat(path, &sb) == 0) {
        rc = STORE_OK;
        if (has_name(fd, name))
            (void)unlink(name);
        goto out;
    }
    if (!has_name(fd, name) || clear(name, fd) != 0) {
        open_failed(err, name,
                    !has_name(fd, name) ? "another program removed it: try again"
                                        : strerror(errno));
        goto out;
    }
    rc = fill(name, err);
    if (rc != STORE_OK)
        goto out;
    if (fsync(fd) != 0 || (link(name, path) != 0 && errno != EEXIST)) {
        open_failed(err, path, strerror(errno));
        rc = STORE_FAIL;
    }
    (void)unlink(name);
    (void)durable_name(path);
out:
    (void)close(fd);
    return rc;
}
