/* SPDX-License-Identifier: ISC */
#include "leasectl/traffic/traffic.h"

#include "leasectl/traffic/inet_diag.h"
#include "lib/base/tcp_table.h"

#include <errno.h>
#include <stdlib.h>

static uint64_t less(uint64_t n, uint64_t taken)
{
    return n > taken ? n - taken : 0;
}

/* A SYN that we sent, and a FIN in either direction, count as a byte each. The kernel does not
 * count the SYN that answered ours. */
static void set_bytes(struct forward *f, const struct inet_counters *c)
{
    const bool our_fin = c->state == TCP_FIN_WAIT2_STATE;
    const bool their_fin = c->state == TCP_CLOSE_WAIT_STATE;
    f->cookie = c->cookie;
    f->has_bytes = c->has_bytes;
    f->idle_ms = c->idle_ms;
    if (!c->has_bytes)
        return;
    f->down = less(c->received, their_fin);
    f->up = less(c->sent, (uint64_t)!f->accepted + our_fin);
}

static struct forward forward_of(const struct socket_list *sockets, const struct session_socket *s,
                                 const struct inet_counter_list *counters)
{
    const struct inet_counters *c = inet_counters_find(counters, s->inode);
    struct forward f = {.pid = s->pid, .peer = s->remote, .local = s->local};
    f.accepted = socket_was_accepted(sockets, s);
    f.port = f.accepted ? s->port : s->remote_port;
    if (c != NULL)
        set_bytes(&f, c);
    return f;
}

int traffic_read(const struct session_list *list, struct traffic *ret)
{
    struct traffic t = {.forward_count = 0};
    struct inet_counter_list counters = {.items = NULL};
    if (sockets_read(list, &t.sockets) != 0)
        return -1;
    /* After the sockets: what is in the first look and not in the second has closed meanwhile. */
    if (inet_counters_read(&counters) != 0)
        t.why_no_bytes = errno;
    t.forwards = calloc(t.sockets.count + 1, sizeof(*t.forwards));
    for (size_t i = 0; t.forwards != NULL && i < t.sockets.count; i++) {
        const struct session_socket *s = &t.sockets.items[i];
        if (s->listening)
            continue;
        if (t.why_no_bytes != 0 || inet_counters_find(&counters, s->inode) != NULL)
            t.forwards[t.forward_count++] = forward_of(&t.sockets, s, &counters);
    }
    inet_counter_list_release(&counters);
    if (t.forwards == NULL) {
        traffic_release(&t);
        errno = ENOMEM;
        return -1;
    }
    *ret = t;
    return 0;
}

void traffic_release(struct traffic *t)
{
    socket_list_release(&t->sockets);
    free(t->forwards);
    *t = (struct traffic){.forward_count = 0};
}

const struct forward *traffic_of(const struct traffic *t, pid_t pid, size_t *ret_count)
{
    size_t low = 0, high = t->forward_count, end;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (t->forwards[middle].pid < pid)
            low = middle + 1;
        else
            high = middle;
    }
    for (end = low; end < t->forward_count && t->forwards[end].pid == pid;)
        end++;
    *ret_count = end - low;
    return end > low ? &t->forwards[low] : NULL;
}

const struct session_socket *traffic_listeners_of(const struct traffic *t, pid_t pid,
                                                  size_t *ret_count)
{
    const struct session_socket *items = t->sockets.items;
    size_t low = 0, high = t->sockets.count, end;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (items[middle].pid < pid)
            low = middle + 1;
        else
            high = middle;
    }
    for (end = low; end < t->sockets.count && items[end].pid == pid && items[end].listening;)
        end++;
    *ret_count = end - low;
    return end > low ? &items[low] : NULL;
}

struct traffic_sum traffic_sum_of(const struct forward *forwards, size_t count, bool all_seen)
{
    struct traffic_sum sum = {.is_known = all_seen};
    for (size_t i = 0; i < count; i++) {
        sum.is_known = sum.is_known && forwards[i].has_bytes;
        sum.down += forwards[i].down;
        sum.up += forwards[i].up;
    }
    return sum;
}
