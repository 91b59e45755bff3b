/* SPDX-License-Identifier: ISC */
#include "lib/store/walk.h"

#include "lib/lease/lease.h"
#include "lib/store/changes.h"
#include "lib/store/statement.h"

#include <bsd/string.h>
#include <stdio.h>

enum store_rc store_range_next(struct store *st, int64_t limit, struct lease_range *range)
{
    sqlite3_stmt *s = statement_get(st, STMT_RANGE_NEXT);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":after", range->last);
    bind_int(s, ":limit", limit);
    enum store_rc rc = statement_step(st, s);
    int64_t last = rc == STORE_OK ? sqlite3_column_int64(s, 0) : 0;
    statement_done(s);
    if (rc != STORE_OK)
        return rc;
    if (last == 0)
        return STORE_NONE;
    *range = (struct lease_range){.after = range->last, .last = last};
    return STORE_OK;
}

/* A statement about those of the range that were over, or began, before before_s. */
static sqlite3_stmt *get_on(struct store *st, enum stmt_id stmt, const struct lease_range *in,
                            int64_t before_s)
{
    sqlite3_stmt *s = statement_get(st, stmt);
    if (s == NULL)
        return NULL;
    bind_int(s, ":after", in->after);
    bind_int(s, ":last", in->last);
    bind_int(s, ":before_s", before_s);
    return s;
}

/* A step takes of the parameters those that it has. */
static enum store_rc run_all(struct store *st, const enum stmt_id *steps, size_t count,
                             const struct lease_range *in, int64_t before_s, int64_t now_s)
{
    enum store_rc rc = STORE_OK;
    for (size_t i = 0; rc == STORE_OK && i < count; i++) {
        sqlite3_stmt *s = get_on(st, steps[i], in, before_s);
        if (s == NULL)
            return STORE_FAIL;
        bind_int(s, ":now_s", now_s);
        rc = statement_run(st, s);
    }
    return rc;
}

enum store_rc store_prune_dead(struct store *st, const struct lease_range *in, int64_t before_s,
                               const struct store_actor *by, int64_t *ret_pruned)
{
    static const enum stmt_id steps[] = {STMT_DEAD_PORTS_FREE, STMT_DEAD_KEYS_DELETE,
                                         STMT_DEAD_LEASES_DELETE};
    const struct lease none = {.id = 0};
    char detail[64];
    /* Asked first: mostly there are none, and to free ports means to look at all of them. */
    sqlite3_stmt *s = get_on(st, STMT_DEAD_COUNT, in, before_s);
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
    rc = run_all(st, steps, sizeof(steps) / sizeof(steps[0]), in, before_s, by->now_s);
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
    return statement_run(st, s);
}

enum store_rc store_agents_unused(struct store *st, const struct lease_range *in, int64_t before_s)
{
    sqlite3_stmt *s = get_on(st, STMT_UNUSED_LIST, in, before_s);
    if (s == NULL)
        return STORE_FAIL;
    enum store_rc rc = statement_step(st, s);
    statement_done(s);
    return rc;
}

enum store_rc store_agents_forget_unused(struct store *st, const struct lease_range *in,
                                         int64_t before_s, const struct store_actor *by)
{
    static const enum stmt_id steps[] = {STMT_UNUSED_PORTS_DELETE, STMT_UNUSED_KEYS_DELETE,
                                         STMT_UNUSED_LEASES_DELETE};
    enum store_rc rc;
    sqlite3_stmt *s = get_on(st, STMT_UNUSED_LIST, in, before_s);
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
    return run_all(st, steps, sizeof(steps) / sizeof(steps[0]), in, before_s, by->now_s);
}

enum store_rc store_agents_opening_other(struct store *st, const struct lease_range *in,
                                         const char *open, int64_t now_s, store_id_fn fn, void *ctx)
{
    enum store_rc rc;
    sqlite3_stmt *s = get_on(st, STMT_AGENTS_OPENING_OTHER, in, 0);
    if (s == NULL)
        return STORE_FAIL;
    bind_text(s, ":open", open);
    bind_int(s, ":now_s", now_s);
    while ((rc = statement_step(st, s)) == STORE_OK)
        if (fn(ctx, sqlite3_column_int64(s, 0)) != 0) {
            (void)strlcpy(st->error, "out of memory", sizeof(st->error));
            rc = STORE_FAIL;
            break;
        }
    statement_done(s);
    return rc == STORE_NONE ? STORE_OK : rc;
}

enum store_rc store_leases_ending(struct store *st, const struct lease_range *in, int64_t after_s,
                                  int64_t until_s, store_ending_fn fn, void *ctx)
{
    enum store_rc rc;
    sqlite3_stmt *s = statement_get(st, STMT_LEASES_ENDING);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":after", in->after);
    bind_int(s, ":last", in->last);
    bind_int(s, ":after_s", after_s);
    bind_int(s, ":until_s", until_s);
    while ((rc = statement_step(st, s)) == STORE_OK)
        if (fn(ctx, sqlite3_column_int64(s, 0), column_text(s, 1), sqlite3_column_int64(s, 2)) != 0)
            break;
    statement_done(s);
    return rc == STORE_NONE || rc == STORE_OK ? STORE_OK : rc;
}

enum store_rc store_count_leases(struct store *st, const struct lease_range *in, int64_t now_s,
                                 struct store_counts *counts)
{
    struct store_counts c = *counts;
    enum store_rc rc;
    sqlite3_stmt *s = statement_get(st, STMT_COUNT_LEASES);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":after", in->after);
    bind_int(s, ":last", in->last);
    bind_int(s, ":now_s", now_s);
    while ((rc = statement_step(st, s)) == STORE_OK) {
        int64_t *const states[] = {c.active, c.expired, c.revoked};
        int64_t kind = sqlite3_column_int64(s, 0), state = sqlite3_column_int64(s, 1);
        if (kind < 0 || kind > 1 || state < 0 || state > 2)
            continue;
        states[state][kind] += sqlite3_column_int64(s, 2);
        int64_t end_s = sqlite3_column_int64(s, 3);
        if (state == 0 && (c.next_expiry_s == 0 || end_s < c.next_expiry_s))
            c.next_expiry_s = end_s;
    }
    statement_done(s);
    if (rc != STORE_NONE)
        return rc;
    *counts = c;
    return STORE_OK;
}

enum store_rc store_count_rest(struct store *st, struct store_counts *counts)
{
    sqlite3_stmt *s = statement_get(st, STMT_COUNT_PORTS);
    if (s == NULL)
        return STORE_FAIL;
    enum store_rc rc = statement_step(st, s);
    if (rc == STORE_OK) {
        counts->ports_held = sqlite3_column_int64(s, 0);
        counts->ports_kept = sqlite3_column_int64(s, 1);
    }
    statement_done(s);
    return rc == STORE_OK ? statement_number(st, STMT_COUNT_AUDIT, &counts->audit_rows) : rc;
}
