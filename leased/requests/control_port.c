/* SPDX-License-Identifier: ISC */
#include "leased/requests/control_port.h"

#include "leased/requests/roster.h"
#include "leased/watch/open_store.h"
#include "leased/watch/sessions.h"
#include "lib/base/array.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/conf/conf.h"
#include "lib/lease/lease.h"
#include "lib/store/changes.h"
#include "lib/store/connection.h"
#include "lib/store/leases.h"
#include "lib/store/transaction.h"
#include "lib/store/walk.h"

#include <stdlib.h>

enum { START_RANGE = 1000 };

/* Whether the lease needs other open permits, which are then added to *ret. */
static bool must_change(const struct control_port *c, const struct lease *l,
                        struct permit_list *ret)
{
    const struct permit *control = &c->conf->ceiling.control;
    const bool wants = control->low != 0, has = wants && permit_list_has(&l->open, control);
    if (sessions_may_be_open(c->sessions, l->id)) {
        if (!wants || has)
            return false;
        for (size_t i = 0; i < l->open.count; i++)
            if (permit_list_add(ret, &l->open.items[i]) != NULL)
                return false;
    } else if (l->open.count == (wants ? 1 : 0) && has == wants) {
        return false;
    }
    return !wants || permit_list_add(ret, control) == NULL;
}

enum store_rc control_port_update_lease(const struct control_port *c, int64_t id,
                                        const struct store_actor *by)
{
    struct lease l = {0};
    struct permit_list open = {.items = NULL};
    struct store_conflict conflict;
    enum store_rc rc = store_lease_by_id(c->open_store->store, id, &l);
    if (rc == STORE_OK && must_change(c, &l, &open)) {
        struct permit_list was = l.open;
        l.open = open;
        rc = store_savepoint(c->open_store->store);
        if (rc == STORE_OK)
            rc = store_lease_set(c->open_store->store, &l, INT64_MAX / 4, by, &conflict);
        if (rc == STORE_OK || rc == STORE_CONFLICT) {
            bool moved = rc == STORE_OK;
            rc = store_savepoint_end(c->open_store->store, moved);
            if (moved && c->conf->ceiling.control.low != 0)
                log_info("agent=%s may open port %u, where Listen is now", l.name,
                         c->conf->ceiling.control.low);
        }
        l.open = was;
    }
    permit_list_release(&open);
    lease_release(&l);
    return rc == STORE_NONE ? STORE_OK : rc;
}

struct lease_ids {
    int64_t *items;
    size_t count, cap;
};

static int add_id(void *ctx, int64_t id)
{
    struct lease_ids *list = ctx;
    int64_t *items = array_grow(list->items, list->count, &list->cap, sizeof(*items), SIZE_MAX);
    if (items == NULL)
        return -1;
    list->items = items;
    list->items[list->count++] = id;
    return 0;
}

enum store_rc control_port_update_range(const struct control_port *c,
                                        const struct lease_range *range,
                                        const struct store_actor *by)
{
    struct permit_list control = {.items = NULL};
    struct buf text = {0};
    struct lease_ids ids = {.items = NULL};
    enum store_rc rc = STORE_FAIL;
    if (c->conf->ceiling.control.low != 0 &&
        permit_list_add(&control, &c->conf->ceiling.control) != NULL)
        goto out;
    permit_list_format(&control, &text);
    if (control.count > 0 && buf_text(&text) == NULL)
        goto out;
    rc = store_agents_opening_other(c->open_store->store, range,
                                    control.count > 0 ? buf_text(&text) : "", by->now_s, add_id,
                                    &ids);
    for (size_t i = 0; rc == STORE_OK && i < ids.count; i++)
        rc = control_port_update_lease(c, ids.items[i], by);
out:
    free(ids.items);
    buf_release(&text);
    permit_list_release(&control);
    return rc;
}

void control_port_update_all(const struct control_port *c)
{
    const struct store_actor by = {.who = "leased", .source = "", .now_s = clock_now_s()};
    struct lease_range range = {0};
    enum store_rc rc = store_begin(c->open_store->store);
    while (rc == STORE_OK &&
           (rc = store_range_next(c->open_store->store, START_RANGE, &range)) == STORE_OK)
        rc = control_port_update_range(c, &range, &by);
    if (rc == STORE_NONE)
        rc = store_commit(c->open_store->store);
    store_rollback(c->open_store->store);
    if (rc != STORE_OK && rc != STORE_BUSY)
        log_error("cannot update agents' permits for the control port: %s; tried again "
                  "within ten minutes",
                  store_error(c->open_store->store));
    roster_invalidate(c->roster);
}
