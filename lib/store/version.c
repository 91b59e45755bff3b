/* SPDX-License-Identifier: ISC */
#include "lib/store/version.h"

#include "lib/store/immutable.h"
#include "lib/store/statement.h"

#include <stdio.h>

const char store_is_empty[] =
    "it is empty: 'leasectl restore' a backup; only where no lease was ever "
    "granted, delete it, and the next change makes a new one";

int store_backup_name(const char *path, int version, char out[static STORE_BACKUP_NAME_BYTES])
{
    int n = snprintf(out, STORE_BACKUP_NAME_BYTES, "%s-before-%d", path, version);
    return n >= 0 && n < STORE_BACKUP_NAME_BYTES ? 0 : -1;
}

enum store_rc store_check_version(struct store *st, int *ret_version)
{
    int64_t version = 0;
    enum store_rc rc = statement_number(st, STMT_VERSION, &version);
    if (rc != STORE_OK)
        return rc == STORE_NONE ? STORE_FAIL : rc;
    if (version >= STORE_VERSION_OLDEST && version <= STORE_VERSION) {
        *ret_version = (int)version;
        return STORE_OK;
    }
    st->failed_code = 0;
    if (version == 0)
        (void)snprintf(st->error, sizeof(st->error), "%s", store_is_empty);
    else if (version > STORE_VERSION)
        (void)snprintf(st->error, sizeof(st->error),
                       "it was written by a newer tunlease (version %lld, this one knows up to "
                       "%d): install that one again, or go back to the backup beside it, "
                       "'-before-%d' or above: leasectl(1), UPGRADE",
                       (long long)version, STORE_VERSION, STORE_VERSION + 1);
    else
        (void)snprintf(
            st->error, sizeof(st->error),
            "it is of a version that no tunlease has (%lld): 'leasectl restore' a backup",
            (long long)version);
    (void)immutable_is_intact(st);
    return STORE_FAIL;
}
