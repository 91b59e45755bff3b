/* SPDX-License-Identifier: ISC */
#include "lib/store/place.h"

#include "lib/store/handle.h"

#include <bsd/string.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHECKS = 10, CHECK_EVERY_MS = 5 };

void place_record_main(struct store *st, const char *path, const struct stat *sb)
{
    (void)strlcpy(st->path, path, sizeof(st->path));
    st->files[0] = (struct store_file){.device = sb->st_dev, .inode = sb->st_ino};
}

enum store_rc place_record_all(struct store *st, const char *path)
{
    struct stat sb;
    int moved = 0;
    (void)strlcpy(st->path, path, sizeof(st->path));
    for (size_t i = 0; i < STORE_FILES; i++) {
        if (store_file_stat(st->path, i, &sb) != 0) {
            (void)snprintf(st->error, sizeof(st->error), "it was moved away while it was opened");
            return STORE_FAIL;
        }
        st->files[i] = (struct store_file){.device = sb.st_dev, .inode = sb.st_ino};
    }
    /* Check that the file that SQLite opened is the one whose identity was just recorded. */
    if (sqlite3_file_control(st->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) != SQLITE_OK ||
        moved) {
        (void)snprintf(st->error, sizeof(st->error), "it was replaced while it was opened");
        return STORE_FAIL;
    }
    return STORE_OK;
}

/* ---- checking ---- */

static uint32_t big_endian(const unsigned char *at, size_t bytes)
{
    uint32_t n = 0;
    for (size_t i = 0; i < bytes; i++)
        n = n << 8 | at[i];
    return n;
}

/*
 * Compares the file's size with the size in its header (SQLite file format, 1.3). Reads through
 * SQLite's descriptor: closing one of our own would release all locks that this process has on the
 * file.
 */
static bool is_whole(struct store *st, off_t bytes)
{
    enum { HEADER_BYTES = 100, AT_PAGE_BYTES = 16, AT_CHANGES = 24, AT_PAGES = 28, AT_VALID = 92 };
    unsigned char header[HEADER_BYTES];
    sqlite3_file *f = NULL;
    if (st->db == NULL ||
        sqlite3_file_control(st->db, "main", SQLITE_FCNTL_FILE_POINTER, &f) != SQLITE_OK ||
        f == NULL || f->pMethods == NULL)
        return true;
    if (f->pMethods->xRead(f, header, HEADER_BYTES, 0) != SQLITE_OK)
        return false;
    uint32_t page_bytes = big_endian(&header[AT_PAGE_BYTES], 2);
    if (page_bytes == 1)
        page_bytes = 65536;
    return memcmp(&header[AT_CHANGES], &header[AT_VALID], 4) != 0 ||
           bytes >= (off_t)big_endian(&header[AT_PAGES], 4) * (off_t)page_bytes;
}

static enum store_place misplaced(struct store *st, enum store_place place, const char *why)
{
    st->failed_code = 0;
    (void)strlcpy(st->error, why, sizeof(st->error));
    return place;
}

enum store_place store_place_check(struct store *st)
{
    struct stat sb;
    if (st->files[0].inode == 0) /* opened to read once, and not kept open */
        return STORE_IN_PLACE;
    if (store_file_stat(st->path, 0, &sb) != 0)
        return misplaced(st, STORE_MISSING,
                         errno == ENOENT ? "it is missing: it was moved away or deleted"
                                         : "it can no longer be examined");
    if (sb.st_size == 0)
        return misplaced(st, STORE_EMPTY, "it is empty: 'leasectl restore' a backup");
    if (!store_file_is(&st->files[0], &sb))
        return misplaced(st, STORE_REPLACED, "it was replaced by another file");
    int64_t changed_ns = (int64_t)sb.st_ctim.tv_sec * 1000000000 + sb.st_ctim.tv_nsec;
    if (changed_ns != st->checked_ns || sb.st_size != st->checked_bytes) {
        /* A file that has grown may also be shorter than its header says: a checkpoint was killed,
         * and the rest is still in the log. */
        if (sb.st_size < st->checked_bytes && !is_whole(st, sb.st_size))
            return misplaced(st, STORE_CUT,
                             "it is shorter than it should be: 'leasectl restore' a backup");
        /* Usually a checkpoint changed it, and cached pages are still valid. But if somebody copied
         * another store into this very file, SQLite must not answer from its cache. */
        if (st->db != NULL)
            (void)sqlite3_db_release_memory(st->db);
        st->checked_ns = changed_ns;
        st->checked_bytes = sb.st_size;
    }
    for (size_t i = 1; i < STORE_FILES; i++)
        if (st->files[i].inode != 0 &&
            (store_file_stat(st->path, i, &sb) != 0 || !store_file_is(&st->files[i], &sb)))
            return misplaced(st, STORE_REPLACED, "its write-ahead log was removed or replaced");
    return STORE_IN_PLACE;
}

enum store_rc store_in_place(struct store *st)
{
    enum store_place place = store_place_check(st);
    for (int i = 0; i < CHECKS && place == STORE_CUT; i++) {
        (void)poll(NULL, 0, CHECK_EVERY_MS);
        place = store_place_check(st);
    }
    return place == STORE_IN_PLACE ? STORE_OK : STORE_FAIL;
}

struct store_file_stamps store_file_stamps(const struct store *st)
{
    struct store_file_stamps t;
    memset(&t, 0, sizeof(t));
    for (size_t i = 0; i < STORE_FILES; i++) {
        struct stat sb;
        if (store_file_stat(st->path, i, &sb) != 0)
            continue;
        t.files[i].device = sb.st_dev;
        t.files[i].inode = sb.st_ino;
        t.files[i].bytes = sb.st_size;
        t.files[i].changed_ns = (int64_t)sb.st_ctim.tv_sec * 1000000000 + sb.st_ctim.tv_nsec;
    }
    return t;
}

bool store_file_stamps_same(const struct store_file_stamps *a, const struct store_file_stamps *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}
