/* SPDX-License-Identifier: ISC */
#include "lib/store/guarded.h"

#include "lib/store/open.h"
#include "lib/store/statement.h"

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { URI_BYTES = 1024, WAL_PATH_BYTES = 512 };

/* SQLite's SHARED range of the database file (os.h): a reader holds it, and a writer that would
 * delete the -wal needs it for itself. */
#define SHARED_FIRST 0x40000002
#define SHARED_SIZE 510

/* A header of 32 bytes, and a frame of 24 and a page of at least 512 (SQLite file
 * format, 4.1, 4.2). Below that a log holds nothing, wherever its writer was killed. */
enum { WAL_FIRST_FRAME_END = 32 + 24 + 512 };

static off_t wal_bytes(const char *wal_path)
{
    struct stat st;
    if (stat(wal_path, &st) == 0)
        return st.st_size;
    return errno == ENOENT ? 0 : WAL_FIRST_FRAME_END;
}

static bool wal_is_empty(const char *wal_path)
{
    return wal_bytes(wal_path) < WAL_FIRST_FRAME_END;
}

bool guarded_is_called_for(const char *path)
{
    char wal_path[WAL_PATH_BYTES];
    if (snprintf(wal_path, sizeof(wal_path), "%s-wal", path) >= (int)sizeof(wal_path))
        return false;
    off_t bytes = wal_bytes(wal_path);
    return bytes > 0 && bytes < WAL_FIRST_FRAME_END;
}

static bool same_state(const struct stat *a, const struct stat *b)
{
    return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ino == b->st_ino;
}

/* file:PATH?immutable=1, with everything that a URI could take for something else escaped. */
static int make_uri(const char *path, char out[static URI_BYTES])
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-";
    size_t used = strlcpy(out, "file:", URI_BYTES);
    for (; *path != '\0'; path++) {
        if (used + 32 > URI_BYTES)
            return -1;
        if (strchr(plain, *path) != NULL)
            out[used++] = *path;
        else
            used += (size_t)snprintf(out + used, 4, "%%%02x", (unsigned char)*path);
    }
    out[used] = '\0';
    (void)strlcat(out, "?immutable=1", URI_BYTES);
    return 0;
}

enum store_rc guarded_open(const char *path, struct store **ret)
{
    struct flock shared = {
        .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = SHARED_FIRST, .l_len = SHARED_SIZE};
    char uri[URI_BYTES], wal_path[WAL_PATH_BYTES];
    struct store *st = NULL;
    struct stat before;
    enum store_rc rc = STORE_FAIL;
    int fd = -1;

    if (snprintf(wal_path, sizeof(wal_path), "%s-wal", path) >= (int)sizeof(wal_path) ||
        make_uri(path, uri) != 0)
        return STORE_FAIL;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 || fcntl(fd, F_SETLK, &shared) != 0 || fstat(fd, &before) != 0 ||
        !wal_is_empty(wal_path))
        goto out;
    rc = open_connection(uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, STORE_READ_TIMEOUT_MS, &st);
    if (rc == STORE_OK && statement_get(st, STMT_KEY_FIND) == NULL)
        rc = STORE_FAIL;
    if (rc != STORE_OK)
        goto out;
    st->guard_fd = fd;
    st->guard_before = before;
    (void)strlcpy(st->guard_wal, wal_path, sizeof(st->guard_wal));
    *ret = st;
    st = NULL;
    fd = -1;
out:
    store_close(st);
    if (fd >= 0)
        (void)close(fd);
    return rc;
}

bool guarded_holds(struct store *st)
{
    struct stat now;
    if (st->guard_fd < 0)
        return true;
    if (fstat(st->guard_fd, &now) == 0 && same_state(&now, &st->guard_before) &&
        wal_is_empty(st->guard_wal))
        return true;
    st->guard_broken = true;
    (void)strlcpy(st->error, "its write-ahead log came back while it was read without: try again",
                  sizeof(st->error));
    return false;
}

void guarded_close(struct store *st)
{
    if (st->guard_fd >= 0)
        (void)close(st->guard_fd);
    st->guard_fd = -1;
}
