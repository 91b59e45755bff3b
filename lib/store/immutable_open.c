/* SPDX-License-Identifier: ISC */
#include "lib/store/immutable_open.h"

#include "lib/store/immutable.h"
#include "lib/store/open.h"
#include "lib/store/statement.h"
#include "lib/store/uri.h"
#include "lib/store/version.h"

#include <bsd/string.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum store_rc immutable_open(const char *path, struct store **ret)
{
    char uri[STORE_URI_BYTES];
    int version;
    struct store *st = store_new();
    *ret = st;
    if (st == NULL)
        return STORE_FAIL;
    int failed = store_uri(path, "?immutable=1", uri) == 0 ? immutable_begin(st, path) : -1;
    if (failed != 0) {
        st->transient = failed > 0;
        (void)strlcpy(st->error, st->transient ? "another program is writing it" : strerror(errno),
                      sizeof(st->error));
        return STORE_FAIL;
    }
    enum store_rc rc = open_connection(st, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, 0);
    if (rc == STORE_OK)
        rc = store_check_version(st, &version);
    if (rc == STORE_OK && statement_get(st, STMT_KEY_FIND) == NULL)
        rc = STORE_FAIL;
    return rc;
}
