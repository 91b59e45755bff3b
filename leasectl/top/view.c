/* SPDX-License-Identifier: ISC */
#include "leasectl/top/view.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const enum view_order orders_of[VIEW_TABLES][5] = {
    [VIEW_SESSIONS] = {ORDER_BYTES, ORDER_RATE, ORDER_NAME, ORDER_AGE, ORDER_END},
    [VIEW_LEASES] = {ORDER_END, ORDER_NAME, ORDER_AGE, ORDER_SESSIONS, ORDER_END}};

/* ---- the order ---- */

struct sorting {
    const struct model *model;
    enum view_order order;
    bool reversed;
};

static int compare(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

static uint64_t sum(struct tally_bytes n)
{
    return n.down + n.up;
}

static uint64_t end_of(const struct model *m, const struct session *s)
{
    const struct lease_brief *l = model_lease(m, s->lease_id);
    return l != NULL ? (uint64_t)l->expires_s : UINT64_MAX;
}

static int compare_sessions(const void *a, const void *b, void *arg)
{
    const struct sorting *sorting = arg;
    const struct model *m = sorting->model;
    const size_t i = ((const struct view_line *)a)->item, j = ((const struct view_line *)b)->item;
    const struct session *x = &m->sessions.items[i], *y = &m->sessions.items[j];
    const struct tally_session *p = &m->tally.sessions[i], *q = &m->tally.sessions[j];
    int result = 0;
    switch (sorting->order) {
    case ORDER_BYTES:
        result = compare(sum(q->total), sum(p->total));
        break;
    case ORDER_RATE:
        result = compare(sum(q->rate), sum(p->rate));
        break;
    case ORDER_AGE:
        result = compare((uint64_t)y->since_s, (uint64_t)x->since_s);
        break;
    case ORDER_END:
        result = compare(end_of(m, x), end_of(m, y));
        break;
    default:
        break;
    }
    if (result == 0)
        result = strcmp(x->lease, y->lease);
    if (result == 0)
        result = x->pid < y->pid ? -1 : x->pid > y->pid;
    return sorting->reversed ? -result : result;
}

static int compare_leases(const void *a, const void *b, void *arg)
{
    const struct sorting *sorting = arg;
    const struct model *m = sorting->model;
    const struct lease_brief *x = &m->store.leases[((const struct view_line *)a)->item];
    const struct lease_brief *y = &m->store.leases[((const struct view_line *)b)->item];
    int result = 0;
    switch (sorting->order) {
    case ORDER_END:
        result = compare((uint64_t)x->expires_s, (uint64_t)y->expires_s);
        break;
    case ORDER_AGE:
        result = compare((uint64_t)y->last_login_s, (uint64_t)x->last_login_s);
        break;
    case ORDER_SESSIONS:
        result = compare(model_sessions_of(m, y->id), model_sessions_of(m, x->id));
        break;
    default:
        break;
    }
    if (result == 0)
        result = strcmp(x->name, y->name);
    if (result == 0)
        result = x->id < y->id ? -1 : x->id > y->id;
    return sorting->reversed ? -result : result;
}

/* ---- the lines ---- */

/* The pid or the number of a line's session or lease. */
static int64_t id_of(const struct model *m, enum view_table table, const struct view_line *line)
{
    return table == VIEW_SESSIONS ? m->sessions.items[line->item].pid
                                  : m->store.leases[line->item].id;
}

static int start_lines(struct view_lines *lines, size_t room)
{
    struct view_line *items = calloc(room + 1, sizeof(*items));
    if (items == NULL)
        return -1;
    free(lines->items);
    lines->items = items;
    lines->count = 0;
    return 0;
}

/* Puts the connections of each session behind it; the lines have room for them. */
static void add_forwards(struct view_lines *lines, const struct model *m)
{
    size_t from = lines->count, to = lines->count;
    for (size_t i = 0; i < lines->count; i++) {
        size_t count;
        (void)traffic_of(&m->traffic, m->sessions.items[lines->items[i].item].pid, &count);
        to += count;
    }
    lines->count = to;
    while (from-- > 0) {
        const struct view_line line = lines->items[from];
        size_t count;
        const struct forward *forwards =
            traffic_of(&m->traffic, m->sessions.items[line.item].pid, &count);
        to -= count + 1;
        lines->items[to] = line;
        for (size_t i = 0; i < count; i++)
            lines->items[to + 1 + i] =
                (struct view_line){.item = line.item, .forward = &forwards[i]};
    }
}

/* The mark follows its session or lease; where that is gone, it stays where it was. */
static void find_mark(struct view *v, const struct model *m, enum view_table table)
{
    struct view_lines *lines = &v->lines[table];
    if (lines->count == 0) {
        lines->marked = SIZE_MAX;
        return;
    }
    for (size_t i = 0; i < lines->count && v->marked_id[table] != 0; i++)
        if (lines->items[i].forward == NULL &&
            id_of(m, table, &lines->items[i]) == v->marked_id[table]) {
            lines->marked = i;
            return;
        }
    if (v->marked_id[table] == 0 || lines->marked == SIZE_MAX)
        lines->marked = 0;
    if (lines->marked >= lines->count)
        lines->marked = lines->count - 1;
    while (lines->items[lines->marked].forward != NULL)
        lines->marked--;
    if (v->marked_id[table] != 0)
        v->marked_id[table] = id_of(m, table, &lines->items[lines->marked]);
}

int view_sort(struct view *v, const struct model *m)
{
    struct view_lines *sessions = &v->lines[VIEW_SESSIONS], *leases = &v->lines[VIEW_LEASES];
    struct sorting sorting = {.model = m};
    if (start_lines(sessions, m->sessions.count + m->traffic.forward_count) != 0 ||
        start_lines(leases, m->store.count) != 0)
        return -1;
    for (size_t i = 0; i < m->sessions.count; i++)
        sessions->items[sessions->count++].item = i;
    for (size_t i = 0; i < m->store.count; i++)
        if (m->store.leases[i].expires_s > m->now_s)
            leases->items[leases->count++].item = i;
    sorting.order = v->orders[VIEW_SESSIONS];
    sorting.reversed = v->reversed[VIEW_SESSIONS];
    qsort_r(sessions->items, sessions->count, sizeof(sessions->items[0]), compare_sessions,
            &sorting);
    if (v->with_forwards)
        add_forwards(sessions, m);
    sorting.order = v->orders[VIEW_LEASES];
    sorting.reversed = v->reversed[VIEW_LEASES];
    qsort_r(leases->items, leases->count, sizeof(leases->items[0]), compare_leases, &sorting);
    find_mark(v, m, VIEW_SESSIONS);
    find_mark(v, m, VIEW_LEASES);
    return 0;
}

void view_move(struct view *v, const struct model *m, int by)
{
    struct view_lines *lines = &v->lines[v->focus];
    if (lines->marked == SIZE_MAX)
        return;
    size_t at = lines->marked;
    const size_t last = lines->count - 1;
    if (by < 0)
        at = by == INT_MIN || (size_t)-by > at ? 0 : at - (size_t)-by;
    else
        at = by == INT_MAX || (size_t)by > last - at ? last : at + (size_t)by;
    /* Only sessions and leases can be marked. */
    while (by > 0 && at < last && lines->items[at].forward != NULL)
        at++;
    while (lines->items[at].forward != NULL)
        at--;
    lines->marked = at;
    v->marked_id[v->focus] = id_of(m, v->focus, &lines->items[at]);
}

void view_scroll(struct view_lines *lines, size_t rows)
{
    if (lines->marked == SIZE_MAX || rows == 0)
        lines->first = 0;
    else if (lines->marked < lines->first)
        lines->first = lines->marked;
    else if (lines->marked >= lines->first + rows)
        lines->first = lines->marked - rows + 1;
    if (lines->count > rows && lines->first > lines->count - rows)
        lines->first = lines->count - rows;
    if (lines->count <= rows)
        lines->first = 0;
}

void view_next_order(struct view *v)
{
    const enum view_order *orders = orders_of[v->focus];
    const size_t count = v->focus == VIEW_SESSIONS ? 5 : 4;
    size_t at = 0;
    while (at < count && orders[at] != v->orders[v->focus])
        at++;
    v->orders[v->focus] = orders[(at + 1) % count];
}

bool view_set_order(struct view *v, enum view_order order)
{
    for (size_t i = 0; i < sizeof(orders_of[0]) / sizeof(orders_of[0][0]); i++)
        if (orders_of[v->focus][i] == order) {
            v->orders[v->focus] = order;
            return true;
        }
    return false;
}

const char *view_order_name(enum view_order order)
{
    static const char *const names[] = {"bytes", "rate", "name", "age", "end", "sessions"};
    return names[order];
}

const struct session *view_session(const struct view *v, const struct model *m)
{
    const struct view_lines *lines = &v->lines[VIEW_SESSIONS];
    return v->focus == VIEW_SESSIONS && lines->marked < lines->count
               ? &m->sessions.items[lines->items[lines->marked].item]
               : NULL;
}

const struct lease_brief *view_lease(const struct view *v, const struct model *m)
{
    const struct view_lines *lines = &v->lines[VIEW_LEASES];
    return v->focus == VIEW_LEASES && lines->marked < lines->count
               ? &m->store.leases[lines->items[lines->marked].item]
               : NULL;
}

void view_release(struct view *v)
{
    for (size_t i = 0; i < VIEW_TABLES; i++) {
        free(v->lines[i].items);
        v->lines[i] = (struct view_lines){.items = NULL};
    }
}
