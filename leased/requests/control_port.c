/* SPDX-License-Identifier: ISC */
#include "leased/requests/control_port.h"

#include "leased/requests/roster.h"
#include "leased/watch/open_store.h"
#include "leased/watch/sessions.h"
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

/* What the lease is to have in place of its open permits; false: it has that. */
static bool has_moved(const struct control_port *c, const struct lease *l, struct permit_list *ret)
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

enum store_rc control_port_move_one(const struct control_port *c, int64_t id,
                                    const struct store_actor *by)
{
    struct lease l = {0};
    struct permit_list open = {.items = NULL};
    struct store_conflict conflict;
    enum store_rc rc = store_lease_by_id(c->open_store->store, id, &l);
    if (rc == STORE_OK && has_moved(c, &l, &open)) {
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

struct others {
    int64_t *ids;
    size_t count, room;
};

static int add_id(void *ctx, int64_t id)
{
    struct others *o = ctx;
    if (o->count == o->room) {
        size_t room = o->room == 0 ? 64 : o->room * 2;
        int64_t *more = reallocarray(o->ids, room, sizeof(*more));
        if (more == NULL)
            return -1;
        o->ids = more;
        o->room = room;
    }
    o->ids[o->count++] = id;
    return 0;
}

enum store_rc control_port_move(const struct control_port *c, const struct lease_range *in,
                                const struct store_actor *by)
{
    struct permit_list control = {.items = NULL};
    struct buf text = {0};
    struct others others = {.ids = NULL};
    enum store_rc rc = STORE_FAIL;
    if (c->conf->ceiling.control.low != 0 &&
        permit_list_add(&control, &c->conf->ceiling.control) != NULL)
        goto out;
    permit_list_format(&control, &text);
    if (control.count > 0 && buf_text(&text) == NULL)
        goto out;
    rc = store_agents_opening_other(c->open_store->store, in,
                                    control.count > 0 ? buf_text(&text) : "", by->now_s, add_id,
                                    &others);
    for (size_t i = 0; rc == STORE_OK && i < others.count; i++)
        rc = control_port_move_one(c, others.ids[i], by);
out:
    free(others.ids);
    buf_release(&text);
    permit_list_release(&control);
    return rc;
}

void control_port_start(const struct control_port *c)
{
    const struct store_actor by = {.who = "leased", .source = "", .now_s = clock_now_s()};
    struct lease_range range = {0};
    enum store_rc rc = store_begin(c->open_store->store);
    while (rc == STORE_OK &&
           (rc = store_range_next(c->open_store->store, START_RANGE, &range)) == STORE_OK)
        rc = control_port_move(c, &range, &by);
    if (rc == STORE_NONE)
        rc = store_commit(c->open_store->store);
    store_rollback(c->open_store->store);
    if (rc != STORE_OK && rc != STORE_BUSY)
        log_error("agents' permits do not follow Listen as yet: %s",
                  store_error(c->open_store->store));
    roster_invalidate(c->roster);
}
