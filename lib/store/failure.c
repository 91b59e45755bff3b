/* SPDX-License-Identifier: ISC */
#include "lib/store/failure.h"

#include "lib/store/immutable.h"
#include "lib/store/handle.h"

#include <bsd/string.h>
#include <stdio.h>

/*
 * What the admin should do about a failure. docs/sqlite-facts.md 4 lists the codes and the calls
 * that return them.
 */
static const char *advice(int code)
{
    switch (code) {
    case SQLITE_READONLY_DIRECTORY:
    case SQLITE_READONLY_CANTINIT:
        return "its write-ahead log is missing: 'leasectl list' as root puts it back";
    case SQLITE_CANTOPEN_SYMLINK:
        return "it is a symbolic link, which is not followed";
    default:
        break;
    }
    switch (code & 0xff) {
    case SQLITE_CANTOPEN:
        return "it, or its -wal or -shm beside it, is missing or not readable; "
               "'leasectl list' as root puts a missing log back";
    case SQLITE_NOTADB:
        return "it is not a lease store, or corrupt";
    case SQLITE_CORRUPT:
        return "it is corrupt";
    case SQLITE_SCHEMA:
        return "it is being rebuilt: try again";
    case SQLITE_FULL:
        return "the disk is full; nothing was changed";
    case SQLITE_BUSY:
        return "another program holds its lock";
    case SQLITE_READONLY:
        return "it is not writable";
    case SQLITE_INTERRUPT:
        return "a statement took more than 3 s: does the store contain a trigger or a view "
               "that is not tunlease's?";
    default:
        return NULL;
    }
}

enum store_rc store_failed(struct store *st, int sqlite_rc)
{
    int code = st->db != NULL ? sqlite3_extended_errcode(st->db) : sqlite_rc;
    const char *hint = immutable_is_intact(st) ? advice(code) : immutable_broken_text;
    const char *what = st->db != NULL ? sqlite3_errmsg(st->db) : sqlite3_errstr(sqlite_rc);

    st->failed_code = code;
    (void)snprintf(st->error, sizeof(st->error), "%s%s%s (sqlite %d)", hint != NULL ? hint : "",
                   hint != NULL ? "; " : "", what, code);
    return (code & 0xff) == SQLITE_BUSY ? STORE_BUSY : STORE_FAIL;
}

enum store_rc store_damaged(struct store *st, const char *what, int64_t lease_id)
{
    if (immutable_is_intact(st))
        (void)snprintf(st->error, sizeof(st->error),
                       "it is corrupt: the %s of lease #%lld is not valid", what,
                       (long long)lease_id);
    return STORE_FAIL;
}

enum store_rc store_failed_because(struct store *st, const char *why)
{
    (void)strlcpy(st->error, why, sizeof(st->error));
    return STORE_FAIL;
}

void open_failed(char err[static STORE_ERROR_BYTES], const char *path, const char *why)
{
    (void)snprintf(err, STORE_ERROR_BYTES, "cannot use the store '%s': %s", path, why);
}
