/* SPDX-License-Identifier: ISC */
#include "lib/store/ports.h"

#include "lib/lease/lease.h"
#include "lib/store/statement.h"
#include "lib/store/taken.h"

#include <stdbool.h>
#include <string.h>

/* Who holds the port, or held it last. STORE_NONE: no lease ever held it. */
static enum store_rc port_holder(struct store *st, uint16_t port, struct store_conflict *ret,
                                 int64_t *ret_freed_s)
{
    sqlite3_stmt *s = statement_get(st, STMT_PORT_HOLDER);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":port", port);
    enum store_rc rc = statement_step(st, s);
    if (rc == STORE_OK) {
        *ret = (struct store_conflict){
            .what = CONFLICT_PORT, .port = port, .lease_id = sqlite3_column_int64(s, 0)};
        (void)column_copy(s, 1, ret->lease, sizeof(ret->lease));
        *ret_freed_s = sqlite3_column_int64(s, 2);
        ret->expired = *ret_freed_s != 0;
    }
    statement_done(s);
    return rc;
}

/* A port that is held, or still kept for a holder of another name. */
static bool is_kept(const struct store_conflict *holder, int64_t freed_s, const char *name,
                    int64_t quarantine_s, int64_t now_s)
{
    return freed_s == 0 || (freed_s > now_s - quarantine_s && strcmp(holder->lease, name) != 0);
}

static enum store_rc acquire_port(struct store *st, int64_t lease_id, const char *name,
                                  uint16_t port, int64_t quarantine_s, int64_t now_s,
                                  struct store_conflict *conflict)
{
    int64_t freed_s = 0;
    struct store_conflict holder;
    enum store_rc rc = port_holder(st, port, &holder, &freed_s);
    if (rc == STORE_OK && freed_s == 0 && holder.lease_id == lease_id)
        return STORE_OK; /* the lease listens on it on another address too */
    if (rc == STORE_OK && is_kept(&holder, freed_s, name, quarantine_s, now_s)) {
        *conflict = holder;
        return STORE_CONFLICT;
    }
    if (rc != STORE_OK && rc != STORE_NONE)
        return rc;
    sqlite3_stmt *s = statement_get(st, STMT_PORT_ACQUIRE);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":port", port);
    bind_int(s, ":lease_id", lease_id);
    bind_text(s, ":holder", name);
    return statement_execute(st, s);
}

enum store_rc ports_acquire(struct store *st, int64_t lease_id, const char *name,
                            const struct permit_list *listen, int64_t quarantine_s, int64_t now_s,
                            struct store_conflict *ret)
{
    enum store_rc rc = STORE_OK;
    for (size_t i = 0; rc == STORE_OK && i < listen->count; i++)
        for (unsigned port = listen->items[i].low; rc == STORE_OK && port <= listen->items[i].high;
             port++)
            rc = acquire_port(st, lease_id, name, (uint16_t)port, quarantine_s, now_s, ret);
    return rc;
}

enum store_rc store_ports_holder(struct store *st, const char *name,
                                 const struct permit_list *listen, int64_t quarantine_s,
                                 int64_t now_s, struct store_conflict *ret)
{
    for (size_t i = 0; i < listen->count; i++)
        for (unsigned port = listen->items[i].low; port <= listen->items[i].high; port++) {
            struct store_conflict holder;
            int64_t freed_s;
            enum store_rc rc = port_holder(st, (uint16_t)port, &holder, &freed_s);
            if (rc == STORE_OK && is_kept(&holder, freed_s, name, quarantine_s, now_s))
                *ret = holder;
            else if (rc == STORE_OK || rc == STORE_NONE)
                continue;
            return rc;
        }
    return STORE_NONE;
}

enum store_rc ports_free(struct store *st, int64_t lease_id, int64_t now_s)
{
    sqlite3_stmt *s = statement_get(st, STMT_PORT_FREE);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":lease_id", lease_id);
    bind_int(s, ":now_s", now_s);
    return statement_execute(st, s);
}

enum store_rc ports_delete(struct store *st, int64_t lease_id)
{
    sqlite3_stmt *s = statement_get(st, STMT_PORT_DELETE);
    if (s == NULL)
        return STORE_FAIL;
    bind_int(s, ":lease_id", lease_id);
    return statement_execute(st, s);
}
