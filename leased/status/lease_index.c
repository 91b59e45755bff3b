/* SPDX-License-Identifier: ISC */
#include "leased/status/lease_index.h"

#include "leased/status/filter.h"
#include "leased/watch/open_store.h"
#include "leased/watch/timer.h"
#include "lib/base/array.h"
#include "lib/base/clock.h"
#include "lib/store/connection.h"
#include "lib/store/overview.h"
#include "lib/store/walk.h"

#include <bsd/string.h>
#include <stdlib.h>
#include <string.h>

enum {
    LEASES_AT_ONCE = 1000,
    FIRST_PIECE_US = 15000,
    PIECE_US = 5000,
    PAUSE_MS = 10,
    INTERVAL_MS = 1000, /* from the start of one reading to that of the next, */
    COST = 50,          /* and so many times as long as it took: 2 % of a processor at most */
};

static void list_release(struct lease_list *list)
{
    free(list->items);
    free(list->agents);
    buf_release(&list->names);
    buf_release(&list->ports);
    *list = (struct lease_list){.items = NULL};
}

/* ---- the order ---- */

/* Active: what ends first comes first. Expired: what ended last. Revoked: the newest. */
static int compare(const void *x, const void *y)
{
    const struct indexed_lease *a = x, *b = y;
    if (a->state != b->state)
        return a->state < b->state ? -1 : 1;
    int64_t key_a = a->state == LEASE_ACTIVE    ? a->expires_s
                    : a->state == LEASE_EXPIRED ? -a->expires_s
                                                : -a->revoked_s;
    int64_t key_b = b->state == LEASE_ACTIVE    ? b->expires_s
                    : b->state == LEASE_EXPIRED ? -b->expires_s
                                                : -b->revoked_s;
    if (key_a != key_b)
        return key_a < key_b ? -1 : 1;
    return (a->id > b->id) - (a->id < b->id);
}

static int compare_names(const void *x, const void *y, void *ctx)
{
    const struct lease_list *list = ctx;
    const uint32_t *a = x, *b = y;
    return strcmp(list->names.data + list->items[*a].name_at,
                  list->names.data + list->items[*b].name_at);
}

/* The agents that are not revoked, by name. 0, or -1: out of memory. */
static int sort_agents(struct lease_list *list)
{
    size_t count = 0;
    uint32_t *agents = calloc(list->count + 1, sizeof(*agents));
    if (agents == NULL)
        return -1;
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].is_agent && list->items[i].state != LEASE_REVOKED)
            agents[count++] = (uint32_t)i;
    qsort_r(agents, count, sizeof(*agents), compare_names, list);
    free(list->agents);
    list->agents = agents;
    list->agent_count = count;
    return 0;
}

static void judge_and_sort(struct lease_index *ix, int64_t now_s)
{
    memset(ix->states, 0, sizeof(ix->states));
    ix->sorted_s = now_s;
    ix->next_expiry_s = INT64_MAX;
    for (size_t i = 0; i < ix->list.count; i++) {
        struct indexed_lease *l = &ix->list.items[i];
        l->state = l->revoked_s != 0       ? LEASE_REVOKED
                   : l->expires_s <= now_s ? LEASE_EXPIRED
                                           : LEASE_ACTIVE;
        ix->states[l->state]++;
        if (l->state == LEASE_ACTIVE && l->expires_s < ix->next_expiry_s)
            ix->next_expiry_s = l->expires_s;
    }
    if (ix->list.count > 0)
        qsort(ix->list.items, ix->list.count, sizeof(*ix->list.items), compare);
    if (sort_agents(&ix->list) != 0)
        ix->list.agent_count = 0;
}

/* ---- reading ---- */

/* Nothing is checked here: the ports are only searched. */
static void add_ports(struct lease_list *list, const char *permits, struct indexed_lease *l)
{
    enum { RANGES_MAX = 2 * PERMIT_LIST_MAX };
    uint16_t range[2];
    while (l->port_ranges < RANGES_MAX && filter_next_ports(&permits, &range[0], &range[1])) {
        buf_add_mem(&list->ports, range, sizeof(range));
        l->port_ranges++;
    }
}

/* No valid name is longer; a damaged one must not fill the memory. */
static void add_name(struct lease_list *list, const char *name)
{
    buf_add_mem(&list->names, name, strnlen(name, LEASE_NAME_BYTES - 1));
    buf_add_mem(&list->names, "", 1);
}

static int add_lease(void *ctx, const struct lease_in_short *from)
{
    struct lease_list *list = ctx;
    if (list->count == INDEX_LEASES_MAX) {
        list->omitted++;
        return 0;
    }
    if (list->count == list->room) {
        void *items =
            array_grow(list->items, list->count, &list->room, sizeof(*list->items), SIZE_MAX);
        if (items == NULL)
            return -1;
        list->items = items;
    }
    struct indexed_lease *l = &list->items[list->count++];
    *l = (struct indexed_lease){.id = from->id,
                                .expires_s = from->expires_s,
                                .revoked_s = from->is_live         ? 0
                                             : from->revoked_s > 0 ? from->revoked_s
                                                                   : 1,
                                .name_at = (uint32_t)list->names.len,
                                .ports_at = (uint32_t)list->ports.len,
                                .is_agent = from->is_agent};
    add_name(list, from->name);
    add_name(list, from->login);
    add_ports(list, from->listen, l);
    add_ports(list, from->open, l);
    return list->names.failed || list->ports.failed ? -1 : 0;
}

static void end_reading(struct lease_index *ix, enum store_rc rc)
{
    ix->is_reading = false;
    ix->has_failed = rc != STORE_NONE;
    if (ix->has_failed) {
        (void)strlcpy(ix->why, store_error(ix->open_store->store), sizeof(ix->why));
        list_release(&ix->reading);
        return;
    }
    list_release(&ix->list);
    ix->list = ix->reading;
    ix->reading = (struct lease_list){.items = NULL};
    ix->is_known = true;
    ix->data_version = ix->reading_version;
    ix->rows_changed = ix->reading_changed;
    judge_and_sort(ix, ix->list.read_s);
}

static void read_some(struct lease_index *ix, int64_t patience_us)
{
    const int64_t since_us = clock_cpu_us();
    struct store *st = ix->open_store->store;
    enum store_rc rc = ix->open_store->is_lost ? STORE_FAIL : STORE_OK;
    while (rc == STORE_OK && clock_cpu_us() - since_us < patience_us) {
        rc = store_range_next(st, LEASES_AT_ONCE, &ix->at);
        if (rc == STORE_OK)
            rc = store_leases_in_short(st, &ix->at, add_lease, &ix->reading);
    }
    if (rc == STORE_OK)
        timer_arm(ix->on_piece, PAUSE_MS);
    else
        end_reading(ix, rc);
    ix->used_us += clock_cpu_us() - since_us;
    ix->next_ms = clock_monotonic_ms() + INTERVAL_MS;
    if (COST * ix->used_us / 1000 > INTERVAL_MS)
        ix->next_ms += COST * ix->used_us / 1000 - INTERVAL_MS;
}

static void on_piece(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    read_some(arg, PIECE_US);
}

static bool has_changed(const struct lease_index *ix, int64_t version)
{
    return !ix->is_known || ix->has_failed || version != ix->data_version ||
           store_rows_changed(ix->open_store->store) != ix->rows_changed;
}

void lease_index_refresh(struct lease_index *ix, int64_t now_s)
{
    int64_t version = 0;
    const bool is_due = !ix->is_reading && clock_monotonic_ms() >= ix->next_ms;
    if (is_due && !ix->open_store->is_lost) {
        enum store_rc rc = store_data_version(ix->open_store->store, &version);
        if (rc != STORE_OK || has_changed(ix, version)) {
            list_release(&ix->reading);
            ix->reading.read_s = now_s;
            ix->at = (struct lease_range){.after = 0};
            ix->reading_version = version;
            ix->reading_changed = store_rows_changed(ix->open_store->store);
            ix->used_us = 0;
            ix->is_reading = true;
            read_some(ix, FIRST_PIECE_US);
        } else {
            ix->list.read_s = now_s;
        }
    }
    /* Also when the clock was set back: then some are active again. */
    if (ix->is_known && (now_s >= ix->next_expiry_s || now_s < ix->sorted_s))
        judge_and_sort(ix, now_s);
}

void lease_index_forget(struct lease_index *ix)
{
    (void)event_del(ix->on_piece);
    list_release(&ix->reading);
    list_release(&ix->list);
    memset(ix->states, 0, sizeof(ix->states));
    ix->is_known = ix->is_reading = ix->has_failed = false;
    ix->next_ms = 0;
}

/* ---- what is known ---- */

const char *lease_index_name(const struct lease_index *ix, const struct indexed_lease *l)
{
    return ix->list.names.data + l->name_at;
}

const char *lease_index_login(const struct lease_index *ix, const struct indexed_lease *l)
{
    const char *name = lease_index_name(ix, l);
    return name + strlen(name) + 1;
}

bool lease_index_has_port(const struct lease_index *ix, const struct indexed_lease *l,
                          uint16_t port)
{
    for (size_t i = 0; i < l->port_ranges; i++) {
        uint16_t range[2];
        memcpy(range, ix->list.ports.data + l->ports_at + i * sizeof(range), sizeof(range));
        if (port >= range[0] && port <= range[1])
            return true;
    }
    return false;
}

uint16_t lease_index_agent_port(const struct lease_index *ix, const struct indexed_lease *l)
{
    uint16_t port = 0;
    if (l->port_ranges > 0) /* what it listens on comes first */
        memcpy(&port, ix->list.ports.data + l->ports_at, sizeof(port));
    return port;
}

int lease_index_start(struct lease_index *ix, struct event_base *base,
                      const struct open_store *open_store)
{
    *ix = (struct lease_index){.open_store = open_store,
                               .next_expiry_s = INT64_MAX,
                               .on_piece = evtimer_new(base, on_piece, ix)};
    return ix->on_piece != NULL ? 0 : -1;
}
