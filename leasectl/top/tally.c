/* SPDX-License-Identifier: ISC */
#include "leasectl/top/tally.h"

#include <errno.h>
#include <stdlib.h>

static void add(struct tally_bytes *to, struct tally_bytes n)
{
    to->down += n.down;
    to->up += n.up;
}

static uint64_t per_second(uint64_t now, uint64_t before, int64_t took_ms)
{
    return now > before && took_ms > 0 ? (now - before) * 1000 / (uint64_t)took_ms : 0;
}

static int compare_cookie(const void *a, const void *b)
{
    const struct tally_connection *x = a, *y = b;
    return x->cookie < y->cookie ? -1 : x->cookie > y->cookie;
}

const struct tally_connection *tally_connection_of(const struct tally *t, uint64_t cookie)
{
    const struct tally_connection key = {.cookie = cookie};
    return t->connection_count > 0
               ? bsearch(&key, t->connections, t->connection_count, sizeof(key), compare_cookie)
               : NULL;
}

static int compare_pid(const void *a, const void *b)
{
    const struct tally_session *x = a, *y = b;
    return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static struct tally_session *find_session(const struct tally *t, pid_t pid)
{
    const struct tally_session key = {.pid = pid};
    return t->session_count > 0
               ? bsearch(&key, t->sessions, t->session_count, sizeof(key), compare_pid)
               : NULL;
}

/* What the last look had of this session, not of another one with its pid; NULL: nothing. */
static const struct tally_session *before(const struct tally *t, const struct session *s)
{
    const struct tally_session *found = find_session(t, s->pid);
    return found != NULL && found->start_ticks == s->start_ticks ? found : NULL;
}

/* Starts the row of a session; its connections are added to *next. */
static struct tally_session start_session(const struct tally *t, const struct session *s,
                                          const struct forward *forwards, size_t count,
                                          bool is_known, struct tally *next)
{
    const struct tally_session *had = before(t, s);
    struct tally_session row = {.pid = s->pid, .start_ticks = s->start_ticks, .is_known = is_known};
    if (had != NULL)
        row.closed = had->closed;
    for (size_t i = 0; is_known && i < count; i++)
        next->connections[next->connection_count++] =
            (struct tally_connection){.cookie = forwards[i].cookie,
                                      .pid = s->pid,
                                      .bytes = {.down = forwards[i].down, .up = forwards[i].up}};
    /* What cannot be seen has not closed. */
    for (size_t i = 0; !is_known && had != NULL && i < t->connection_count; i++)
        if (t->connections[i].pid == s->pid)
            next->connections[next->connection_count++] = t->connections[i];
    return row;
}

/* The connections of the last look that are not there any more. */
static void add_closed(const struct tally *t, struct tally *next)
{
    for (size_t i = 0; i < t->connection_count; i++) {
        const struct tally_connection *c = &t->connections[i];
        struct tally_session *s = find_session(next, c->pid);
        const struct tally_session *had = find_session(t, c->pid);
        if (s != NULL && had != NULL && s->start_ticks == had->start_ticks &&
            tally_connection_of(next, c->cookie) == NULL)
            add(&s->closed, c->bytes);
    }
}

static void add_open(const struct tally *t, struct tally *next, int64_t took_ms)
{
    for (size_t i = 0; i < next->session_count; i++)
        next->sessions[i].total = next->sessions[i].closed;
    for (size_t i = 0; i < next->connection_count; i++) {
        struct tally_connection *c = &next->connections[i];
        const struct tally_connection *had = tally_connection_of(t, c->cookie);
        struct tally_session *s = find_session(next, c->pid);
        c->has_rate = t->looked_ms != 0;
        c->rate = per_second(c->bytes.down + c->bytes.up,
                             had != NULL ? had->bytes.down + had->bytes.up : 0, took_ms);
        if (s != NULL)
            add(&s->total, c->bytes);
    }
}

static void set_rates(const struct tally *t, const struct session_list *list, struct tally *next,
                      int64_t took_ms)
{
    for (size_t i = 0; i < next->session_count; i++) {
        struct tally_session *s = &next->sessions[i];
        const struct tally_session *had = before(t, &list->items[i]);
        const struct tally_bytes none = {.down = 0};
        const struct tally_bytes was = had != NULL ? had->total : none;
        s->has_rate = t->looked_ms != 0 && s->is_known && (had == NULL || had->is_known);
        if (!s->has_rate)
            continue;
        s->rate.down = per_second(s->total.down, was.down, took_ms);
        s->rate.up = per_second(s->total.up, was.up, took_ms);
        add(&next->rate, s->rate);
    }
}

static void add_ended(const struct tally *t, struct tally *next)
{
    for (size_t i = 0; i < t->session_count; i++) {
        const struct tally_session *had = &t->sessions[i];
        const struct tally_session *s = find_session(next, had->pid);
        if (s == NULL || s->start_ticks != had->start_ticks)
            add(&next->ended, had->total);
    }
}

int tally_look(struct tally *t, const struct session_list *list, const struct traffic *traffic,
               int64_t now_ms)
{
    struct tally next = {.ended = t->ended, .looked_ms = now_ms};
    const int64_t took_ms = now_ms - t->looked_ms;
    next.connections =
        calloc(traffic->forward_count + t->connection_count + 1, sizeof(*next.connections));
    next.sessions = calloc(list->count + 1, sizeof(*next.sessions));
    if (next.connections == NULL || next.sessions == NULL) {
        tally_release(&next);
        errno = ENOMEM;
        return -1;
    }
    for (size_t i = 0; i < list->count; i++) {
        size_t count;
        const struct forward *forwards = traffic_of(traffic, list->items[i].pid, &count);
        const bool is_known = traffic_sum_of(forwards, count, traffic->sockets.seen[i]).is_known &&
                              traffic->why_no_bytes == 0;
        next.sessions[next.session_count++] =
            start_session(t, &list->items[i], forwards, count, is_known, &next);
    }
    if (next.connection_count > 1)
        qsort(next.connections, next.connection_count, sizeof(next.connections[0]), compare_cookie);
    add_closed(t, &next);
    add_open(t, &next, took_ms);
    set_rates(t, list, &next, took_ms);
    add_ended(t, &next);
    tally_release(t);
    *t = next;
    return 0;
}

struct tally_bytes tally_total(const struct tally *t)
{
    struct tally_bytes sum = t->ended;
    for (size_t i = 0; i < t->session_count; i++)
        add(&sum, t->sessions[i].total);
    return sum;
}

void tally_release(struct tally *t)
{
    free(t->connections);
    free(t->sessions);
    *t = (struct tally){.connections = NULL};
}
