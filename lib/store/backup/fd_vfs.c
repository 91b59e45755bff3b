/* SPDX-License-Identifier: ISC */
#include "lib/store/backup/fd_vfs.h"

#include "lib/store/open.h"
#include "lib/store/statement.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_BYTES = 24, LARGEST_VALUE_BYTES = 16 << 20 };

struct fd_file {
    sqlite3_file base;
    int fd;
};

static int fd_of(sqlite3_file *f)
{
    return ((struct fd_file *)f)->fd;
}

static int close_nothing(sqlite3_file *f)
{
    (void)f;
    return SQLITE_OK;
}

static int read_at(sqlite3_file *f, void *to, int bytes, sqlite3_int64 at)
{
    int done = 0;
    while (done < bytes) {
        ssize_t n = pread(fd_of(f), (char *)to + done, (size_t)(bytes - done), at + done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return SQLITE_IOERR_READ;
        if (n == 0)
            break;
        done += (int)n;
    }
    if (done == bytes)
        return SQLITE_OK;
    memset((char *)to + done, 0, (size_t)(bytes - done));
    return SQLITE_IOERR_SHORT_READ;
}

static int write_at(sqlite3_file *f, const void *from, int bytes, sqlite3_int64 at)
{
    int done = 0;
    while (done < bytes) {
        ssize_t n = pwrite(fd_of(f), (const char *)from + done, (size_t)(bytes - done), at + done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 || errno == ENOSPC || errno == EDQUOT ? SQLITE_FULL : SQLITE_IOERR_WRITE;
        done += (int)n;
    }
    return SQLITE_OK;
}

static int truncate_to(sqlite3_file *f, sqlite3_int64 bytes)
{
    return ftruncate(fd_of(f), bytes) == 0 ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
}

/* Whoever makes the file calls fsync(2) once, when it is complete. */
static int sync_later(sqlite3_file *f, int flags)
{
    (void)f;
    (void)flags;
    return SQLITE_OK;
}

static int size_of(sqlite3_file *f, sqlite3_int64 *ret)
{
    struct stat sb;
    if (fstat(fd_of(f), &sb) != 0)
        return SQLITE_IOERR_FSTAT;
    *ret = sb.st_size;
    return SQLITE_OK;
}

static int lock_nothing(sqlite3_file *f, int lock)
{
    (void)f;
    (void)lock;
    return SQLITE_OK;
}

static int is_not_reserved(sqlite3_file *f, int *ret)
{
    (void)f;
    *ret = 0;
    return SQLITE_OK;
}

static int control(sqlite3_file *f, int what, void *arg)
{
    (void)f;
    (void)what;
    (void)arg;
    return SQLITE_NOTFOUND;
}

static int characteristics(sqlite3_file *f)
{
    (void)f;
    return 0;
}

static int sector_bytes(sqlite3_file *f)
{
    (void)f;
    return 4096;
}

static int open_fd(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
    static const sqlite3_io_methods methods = {
        .iVersion = 1, /* without the calls that a log needs */
        .xClose = close_nothing,
        .xRead = read_at,
        .xWrite = write_at,
        .xTruncate = truncate_to,
        .xSync = sync_later,
        .xFileSize = size_of,
        .xLock = lock_nothing,
        .xUnlock = lock_nothing,
        .xCheckReservedLock = is_not_reserved,
        .xFileControl = control,
        .xSectorSize = sector_bytes,
        .xDeviceCharacteristics = characteristics,
    };
    (void)vfs;
    f->pMethods = NULL;
    if ((flags & SQLITE_OPEN_MAIN_DB) == 0 || name == NULL) /* all else stays in memory */
        return SQLITE_CANTOPEN;
    ((struct fd_file *)f)->fd = (int)strtol(name, NULL, 10);
    f->pMethods = &methods;
    if (ret_flags != NULL)
        *ret_flags = flags;
    return SQLITE_OK;
}

static int delete_nothing(sqlite3_vfs *vfs, const char *name, int sync)
{
    (void)vfs;
    (void)name;
    (void)sync;
    return SQLITE_OK;
}

static int has_nothing_else(sqlite3_vfs *vfs, const char *name, int what, int *ret)
{
    (void)vfs;
    (void)name;
    (void)what;
    *ret = 0;
    return SQLITE_OK;
}

static int same_name(sqlite3_vfs *vfs, const char *name, int bytes, char *out)
{
    (void)vfs;
    return snprintf(out, (size_t)bytes, "%s", name) < bytes ? SQLITE_OK : SQLITE_CANTOPEN;
}

static const char *fd_vfs(void)
{
    static sqlite3_vfs vfs;
    sqlite3_vfs *usual = sqlite3_vfs_find(NULL);
    if (vfs.zName == NULL && usual != NULL) {
        vfs = *usual;
        vfs.zName = "tunlease-fd";
        vfs.szOsFile = sizeof(struct fd_file);
        vfs.xOpen = open_fd;
        vfs.xDelete = delete_nothing;
        vfs.xAccess = has_nothing_else;
        vfs.xFullPathname = same_name;
        (void)sqlite3_vfs_register(&vfs, 0);
    }
    return vfs.zName;
}

/* Whoever made the file may have put anything into it: what reads it is not led by its schema. */
enum store_rc fd_open(int fd, struct store **ret)
{
    char name[NAME_BYTES];
    struct store *st = store_new();
    *ret = st;
    (void)snprintf(name, sizeof(name), "%d", fd);
    /* URI: for the store that is attached by one, with another VFS (merge.c). */
    enum store_rc rc =
        open_with_vfs(st, name, SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI, 0, fd_vfs());
    if (rc != STORE_OK)
        return rc;
    (void)sqlite3_db_config(st->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(st->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_limit(st->db, SQLITE_LIMIT_LENGTH, LARGEST_VALUE_BYTES);
    return execute_sql(st, "PRAGMA temp_store=MEMORY; PRAGMA journal_mode=MEMORY;"
                           "PRAGMA cell_size_check=1;");
}

int fd_set_wal(int fd, bool wal)
{
    enum { AT_VERSIONS = 18 }; /* SQLite file format, 1.3.3: 1 is a rollback journal, 2 a log */
    const unsigned char versions[2] = {wal ? 2 : 1, wal ? 2 : 1};
    ssize_t n = pwrite(fd, versions, sizeof(versions), AT_VERSIONS);
    if (n >= 0 && n != (ssize_t)sizeof(versions))
        errno = ENOSPC;
    return n == (ssize_t)sizeof(versions) ? 0 : -1;
}
