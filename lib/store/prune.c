/* SPDX-License-Identifier: ISC */
#include "lib/store/prune.h"

#include "lib/lease/lease.h"
#include "lib/store/note.h"
#include "lib/store/statement.h"

#include <stdio.h>

/* A statement about those leases of the range that ended, or registered, before before_s. */
static sqlite3_stmt *get_with_range(struct store *st, enum stmt_id stmt,
                                    const struct lease_range *range, int64_t before_s)
{
    sqlite3_stmt *s = statement_get_range(st, stmt, range);
    if (s != NULL)
        bind_int(s, ":before_s", before_s);
    return s;
}

/* Runs the statements in order. Parameters that a statement does not have are ignored. */
static enum store_rc execute_all(struct store *st, const enum stmt_id *steps, size_t count,
                                 const struct lease_range *range, int64_t before_s, int64_t now_s)
{
    enum store_rc rc = STORE_OK;
    for (size_t i = 0; rc == STORE_OK && i < count; i++) {
        sqlite3_stmt *s = get_with_range(st, steps[i], range, before_s);
        if (s == NULL)
            return STORE_FAIL;
        bind_int(s, ":now_s", now_s);
        rc = statement_execute(st, s);
    }
    return rc;
}

enum store_rc store_prune_dead(struct store *st, const struct lease_range *range, int64_t before_s,
                               const struct store_actor *by, int64_t *ret_pruned)
{
    static const enum stmt_id steps[] = {STMT_DEAD_PORTS_FREE, STMT_DEAD_KEYS_DELETE,
                                         STMT_DEAD_LEASES_DELETE};
    const struct lease none = {.id = 0};
    char detail[64];
    /* Count first: usually there are none, and freeing ports would examine all of them. */
    sqlite3_stmt *s = get_with_range(st, STMT_DEAD_COUNT, range, before_s);
    if (s == NULL)
        return STORE_FAIL;
    enum store_rc rc = statement_step(st, s);
    int64_t count = rc == STORE_OK ? sqlite3_column_int64(s, 0) : 0;
    statement_done(s);
    if (rc != STORE_OK)
        return rc;
    *ret_pruned = count;
    if (count == 0)
        return STORE_OK;
    rc = execute_all(st, steps, sizeof(steps) / sizeof(steps[0]), range, before_s, by->now_s);
    if (rc != STORE_OK)
        return rc;
    (void)snprintf(detail, sizeof(detail), "leases=%lld ended_before_s=%lld", (long long)count,
                   (long long)before_s);
    return note_change(st, by, "prune", 0, &none, "", detail);
}

enum store_rc store_ports_free_expired(struct store *st, uint16_t low, uint16_t high,
                                       int64_t before_s, int64_t now_s)
{
    sqlite3_stmt *s = statement_get(st, STMT_EXPIRED_PORTS_FREE);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":low", low);
    bind_int(s, ":high", high);
    bind_int(s, ":before_s", before_s);
    bind_int(s, ":now_s", now_s);
    return statement_execute(st, s);
}

enum store_rc store_agents_unused(struct store *st, const struct lease_range *range,
                                  int64_t before_s)
{
    sqlite3_stmt *s = get_with_range(st, STMT_UNUSED_LIST, range, before_s);
    if (s == NULL)
        return STORE_FAIL;
    enum store_rc rc = statement_step(st, s);
    statement_done(s);
    return rc;
}

enum store_rc store_agents_delete_unused(struct store *st, const struct lease_range *range,
                                         int64_t before_s, const struct store_actor *by)
{
    static const enum stmt_id steps[] = {STMT_UNUSED_PORTS_DELETE, STMT_UNUSED_KEYS_DELETE,
                                         STMT_UNUSED_LEASES_DELETE};
    enum store_rc rc;
    sqlite3_stmt *s = get_with_range(st, STMT_UNUSED_LIST, range, before_s);
    if (s == NULL)
        return STORE_FAIL;
    while ((rc = statement_step(st, s)) == STORE_OK) {
        struct lease l = {.id = sqlite3_column_int64(s, 0)};
        (void)column_copy(s, 1, l.name, sizeof(l.name));
        rc = note_change(st, by, "delete", l.id, &l, "", "never opened a session");
        if (rc != STORE_OK)
            break;
    }
    statement_done(s);
    if (rc != STORE_NONE)
        return rc;
    return execute_all(st, steps, sizeof(steps) / sizeof(steps[0]), range, before_s, by->now_s);
}
