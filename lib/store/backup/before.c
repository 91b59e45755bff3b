/* SPDX-License-Identifier: ISC */
/* The backup that a migration makes first. */
#include "lib/base/fresh_file.h"
#include "lib/store/backup/copy.h"
#include "lib/store/connection.h"
#include "lib/store/handle.h"
#include "lib/store/migrate.h"
#include "lib/store/open.h"
#include "lib/store/open_write.h"
#include "lib/store/statement.h"
#include "lib/store/version.h"

#include <bsd/string.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { BACKUP_MODE = 0640, SPARE_BYTES = 1024 * 1024, KIB = 1024 };

static enum store_rc refuse(struct store *st, const char *name, const char *why)
{
    st->failed_code = 0;
    (void)snprintf(st->error, sizeof(st->error),
                   "it must be migrated to version %d first, and that is not done without a "
                   "backup, '%.200s': %.160s; logins work as before",
                   STORE_VERSION, name, why);
    return STORE_FAIL;
}

/* Room for the backup, and for a log in which the migration writes every page anew. */
static bool has_room(struct store *st, int dir_fd, char *why, size_t why_bytes)
{
    int64_t pages = 0, page_bytes = 0;
    struct statvfs fs;
    if (statement_number(st, STMT_PAGE_COUNT, &pages) != STORE_OK ||
        statement_number(st, STMT_PAGE_SIZE, &page_bytes) != STORE_OK || fstatvfs(dir_fd, &fs) != 0)
        return true; /* then the write itself says so */
    uint64_t needed = 2 * (uint64_t)(pages * page_bytes) + SPARE_BYTES;
    if ((uint64_t)fs.f_bavail * fs.f_frsize >= needed)
        return true;
    (void)snprintf(why, why_bytes, "the disk is too full: make %llu KiB free there",
                   (unsigned long long)(needed / KIB));
    return false;
}

static void show_nothing(void *ctx, unsigned percent)
{
    (void)ctx;
    (void)percent;
}

/* SQLite copies nothing from a connection that may write, so another one reads: what is committed,
 * and that cannot change meanwhile. */
static enum store_rc copy_committed(const char *path, int fd, char why[static STORE_ERROR_BYTES])
{
    struct store_contents contents;
    struct store *reader = store_new();
    enum store_rc rc = open_connection(reader, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW,
                                       STORE_WRITE_TIMEOUT_MS);
    if (rc == STORE_OK)
        rc = store_copy_pages(reader, fd, show_nothing, NULL, &contents, why);
    else
        (void)snprintf(why, STORE_ERROR_BYTES, "%s",
                       reader != NULL ? reader->error : "out of memory");
    store_close(reader);
    return rc;
}

enum store_rc store_keep_before_migration(struct store *st, const char *path)
{
    char name[STORE_BACKUP_NAME_BYTES], dir[STORE_PATH_BYTES], why[STORE_ERROR_BYTES] = "";
    struct fresh_file f = FRESH_FILE_CLOSED;
    if (store_backup_name(path, STORE_VERSION, name) != 0 ||
        strlcpy(dir, path, sizeof(dir)) >= sizeof(dir))
        return refuse(st, path, strerror(ENAMETOOLONG));
    char *slash = strrchr(dir, '/');
    const char *base = strrchr(name, '/');
    base = base != NULL ? base + 1 : name;
    if (slash == NULL)
        (void)strlcpy(dir, ".", sizeof(dir));
    else
        slash[slash == dir] = '\0';
    if (fresh_file_open(dir, base, &f) != 0)
        return refuse(st, name, strerror(errno));
    enum store_rc rc = STORE_FAIL;
    if (has_room(st, f.dir_fd, why, sizeof(why)))
        rc = copy_committed(path, f.fd, why);
    /* One of an earlier migration is of no more use: the store has gone back behind it since. */
    if (rc == STORE_OK)
        (void)unlinkat(f.dir_fd, base, 0);
    if (rc == STORE_OK && fresh_file_publish(&f, BACKUP_MODE, false) != 0) {
        (void)snprintf(why, sizeof(why), "%s", strerror(errno));
        rc = STORE_FAIL;
    }
    fresh_file_close(&f);
    return rc == STORE_OK ? STORE_OK : refuse(st, name, why);
}
