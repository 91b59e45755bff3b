/* SPDX-License-Identifier: ISC */
#include "lib/store/backup/contents.h"

#include "lib/store/backup/once.h"
#include "lib/store/connection.h"
#include "lib/store/integrity.h"
#include "lib/store/leases.h"
#include "lib/store/open.h"
#include "lib/store/version.h"

#include <stdio.h>
#include <string.h>

static enum store_rc says(struct store *st, const char *why)
{
    (void)snprintf(st->error, sizeof(st->error), "%s", why);
    return STORE_NONE;
}

/* ---- the schema ---- */

/* As texts without blanks: an older tunlease may have broken its lines elsewhere. */
static bool same_text(const char *a, const char *b)
{
    for (;; a++, b++) {
        a += strspn(a, " \t\n");
        b += strspn(b, " \t\n");
        if (*a != *b)
            return false;
        if (*a == '\0')
            return true;
    }
}

static enum store_rc make_model(int version, struct store **ret)
{
    *ret = store_new();
    enum store_rc rc =
        open_with_vfs(*ret, ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, 0, NULL);
    for (int i = 0; rc == STORE_OK && i < version; i++)
        rc = execute_sql(*ret, migration_table[i]);
    return rc;
}

/* Compares row by row. STORE_NONE: they differ. */
static enum store_rc compare(struct store *st, sqlite3_stmt *s, struct store *model,
                             sqlite3_stmt *expected)
{
    for (;;) {
        enum store_rc rc = statement_step(st, s), model_rc = statement_step(model, expected);
        if (rc != STORE_OK && rc != STORE_NONE)
            return rc;
        if (rc != model_rc)
            break;
        if (rc == STORE_NONE)
            return STORE_OK;
        for (int i = 0; i < sqlite3_column_count(s); i++)
            if (!same_text(column_text(s, i), column_text(expected, i)))
                rc = STORE_NONE;
        if (rc != STORE_OK)
            break;
    }
    return says(st, "it is not tunlease's: its tables or triggers are others");
}

enum store_rc contents_check_schema(struct store *st, int version, bool old)
{
    static const struct once_values none = {.now_s = 0};
    struct store *model = NULL;
    sqlite3_stmt *s = NULL, *expected = NULL;
    enum store_rc rc = make_model(version, &model);
    if (rc == STORE_OK) {
        s = once_get(st, old ? RESTORE_OLD_SCHEMA : RESTORE_SCHEMA, &none);
        expected = once_get(model, RESTORE_SCHEMA, &none);
        rc = s != NULL && expected != NULL ? compare(st, s, model, expected) : STORE_FAIL;
    } else
        (void)says(st, "the tables of tunlease cannot be made in memory");
    (void)sqlite3_finalize(s);
    (void)sqlite3_finalize(expected);
    store_close(model);
    return rc;
}

/* ---- the rows ---- */

enum store_rc contents_count(struct store *st, struct store_contents *ret)
{
    static const struct once_values none = {.now_s = 0};
    int version = 0;
    enum store_rc rc = store_check_version(st, &version);
    if (rc != STORE_OK)
        return rc;
    sqlite3_stmt *s = once_get(st, RESTORE_CONTENTS, &none);
    if (s == NULL)
        return STORE_FAIL;
    rc = statement_step(st, s);
    if (rc == STORE_OK)
        *ret = (struct store_contents){.version = version,
                                       .grants = sqlite3_column_int64(s, 0),
                                       .agents = sqlite3_column_int64(s, 1),
                                       .freezes = sqlite3_column_int64(s, 2),
                                       .leases = sqlite3_column_int64(s, 3),
                                       .keys = sqlite3_column_int64(s, 4),
                                       .ports = sqlite3_column_int64(s, 5),
                                       .tokens = sqlite3_column_int64(s, 6)};
    (void)sqlite3_finalize(s);
    return rc;
}

static int pass_over(void *ctx, const struct lease *l)
{
    (void)ctx;
    (void)l;
    return 0;
}

enum store_rc contents_check_pages(struct store *st, struct store_contents *ret)
{
    char problem[STORE_ERROR_BYTES], text[STORE_ERROR_BYTES / 2];
    enum store_rc rc = store_integrity_check(st, problem);
    if (rc == STORE_NONE) {
        (void)snprintf(text, sizeof(text), "it is damaged: %.200s", problem);
        return says(st, text);
    }
    return rc == STORE_OK ? contents_count(st, ret) : rc;
}

enum store_rc contents_check(struct store *st, struct store_contents *ret)
{
    static const struct store_filter all = {.all = true, .before_s = INT64_MAX};
    char text[STORE_ERROR_BYTES / 2];
    struct store_contents found;
    struct audit_report audit;
    enum store_rc rc = contents_check_pages(st, &found);
    if (rc == STORE_OK)
        rc = audit_verify(st, &audit);
    if (rc != STORE_OK)
        return rc;
    if (audit.broken_seq != 0) {
        (void)snprintf(text, sizeof(text),
                       "its audit chain is broken: row #%lld does not match the rows before it",
                       (long long)audit.broken_seq);
        return says(st, text);
    }
    /* Each field of each lease is checked when it is read. */
    if (store_lease_list(st, &all, pass_over, NULL) != STORE_OK)
        return STORE_NONE;
    found.audit = audit;
    *ret = found;
    return STORE_OK;
}
