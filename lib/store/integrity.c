/* SPDX-License-Identifier: ISC */
#include "lib/store/integrity.h"

#include "lib/store/statement.h"
#include "lib/store/version.h"

#include <stdio.h>
#include <string.h>

enum store_rc store_version_read(struct store *st, int *ret_version)
{
    return store_check_version(st, ret_version);
}

enum store_rc store_integrity_check(struct store *st, char problem[static STORE_ERROR_BYTES])
{
    sqlite3_stmt *s = statement_get(st, STMT_INTEGRITY_CHECK);
    if (s == NULL)
        return STORE_FAIL;
    enum store_rc rc = statement_step(st, s);
    if (rc == STORE_OK && strcmp(column_text(s, 0), "ok") != 0) {
        /* Its first line may only say which database of the connection it is: there is one. */
        const char *says = column_text(s, 0), *fault = says[0] == '*' ? strchr(says, '\n') : NULL;
        fault = fault != NULL ? fault + 1 : says;
        (void)snprintf(problem, STORE_ERROR_BYTES, "%.*s", (int)strcspn(fault, "\n"), fault);
        rc = STORE_NONE;
    }
    statement_done(s);
    return rc;
}

enum store_rc store_newest_time(struct store *st, int64_t *ret_s)
{
    return statement_number(st, STMT_NEWEST_TIME, ret_s);
}
