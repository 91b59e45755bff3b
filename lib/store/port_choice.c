/* SPDX-License-Identifier: ISC */
#include "lib/store/port_choice.h"

#include "lib/store/statement.h"

enum store_rc store_port_former(struct store *st, const char *name, uint16_t *ret_port,
                                bool *ret_any)
{
    bool same = false;
    sqlite3_stmt *s = statement_get(st, STMT_PORT_FORMER);
    if (s == NULL)
        return STORE_FAIL;
    bind_text(s, ":holder", name);
    enum store_rc rc = statement_step(st, s);
    *ret_any = rc == STORE_OK;
    if (rc == STORE_OK) {
        same = sqlite3_column_int64(s, 1) != 0;
        if (same)
            *ret_port = (uint16_t)sqlite3_column_int64(s, 0);
    }
    statement_done(s);
    return rc == STORE_OK && !same ? STORE_NONE : rc;
}

enum store_rc store_port_pick(struct store *st, uint16_t low, uint16_t high, int64_t quarantine_s,
                              int64_t now_s, bool (*usable)(void *ctx, uint16_t port), void *ctx,
                              uint16_t *ret_port)
{
    unsigned next = low; /* the lowest port that is still to be examined */
    unsigned never_leased = 0, oldest = 0;
    int64_t oldest_freed_s = INT64_MAX;
    enum store_rc rc;
    sqlite3_stmt *s = statement_get(st, STMT_PORT_LIST);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":low", low);
    bind_int(s, ":high", high);
    while (never_leased == 0 && (rc = statement_step(st, s)) == STORE_OK) {
        unsigned port = (unsigned)sqlite3_column_int64(s, 0);
        int64_t freed_s = sqlite3_column_int64(s, 1);
        for (; next < port && never_leased == 0; next++)
            if (usable(ctx, (uint16_t)next))
                never_leased = next;
        next = port + 1;
        if (freed_s != 0 && freed_s <= now_s - quarantine_s && freed_s < oldest_freed_s &&
            usable(ctx, (uint16_t)port)) {
            oldest = port;
            oldest_freed_s = freed_s;
        }
    }
    statement_done(s);
    if (never_leased == 0 && rc != STORE_NONE)
        return rc;
    for (; next <= high && never_leased == 0; next++)
        if (usable(ctx, (uint16_t)next))
            never_leased = next;
    if (never_leased == 0 && oldest == 0)
        return STORE_NONE;
    *ret_port = (uint16_t)(never_leased != 0 ? never_leased : oldest);
    return STORE_OK;
}
