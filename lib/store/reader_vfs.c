/* SPDX-License-Identifier: ISC */
#include "lib/store/reader_vfs.h"

#include "lib/base/clock.h"

#include <sqlite3.h>
#include <stddef.h>

/*
 * SQLite itself sleeps up to 10 s, whatever the busy timeout, for a writer that stopped while it
 * was beginning the log. When the reader's time is over, xSleep returns at once, so that SQLite
 * soon uses up its tries. Only one reader opens the store at a time.
 */
static int64_t wait_until_ms = INT64_MAX;

void reader_waits_until(int64_t until_ms)
{
    wait_until_ms = until_ms;
}

static int sleep_within(sqlite3_vfs *vfs, int us)
{
    int64_t left_ms = wait_until_ms - clock_monotonic_ms();
    (void)vfs;
    if (left_ms <= 0)
        return 0;
    sqlite3_vfs *unlimited = sqlite3_vfs_find(NULL);
    return unlimited->xSleep(unlimited, left_ms < us / 1000 ? (int)left_ms * 1000 : us);
}

const char *reader_vfs(void)
{
    static sqlite3_vfs vfs;
    sqlite3_vfs *unlimited = sqlite3_vfs_find(NULL);
    if (vfs.zName == NULL && unlimited != NULL) {
        vfs = *unlimited;
        vfs.zName = "tunlease-reader";
        vfs.xSleep = sleep_within;
        (void)sqlite3_vfs_register(&vfs, 0);
    }
    return vfs.zName;
}
