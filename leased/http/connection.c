/* SPDX-License-Identifier: ISC */
#include "leased/http/connection.h"

#include "lib/base/clock.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 4096,
    CONNECTIONS_SPARE = 64, /* descriptors for everything else; at least so many connections */
    INPUT_BYTES_MIN = 2048,
    BUFFERED_BYTES_MAX = 32 * 1024 * 1024, /* of all connections together */
};

/* ---- the table ---- */

/* As many as the limit of descriptors allows, which is raised if it may be. */
static size_t slots_allowed(void)
{
    const rlim_t want = CONNECTIONS_MAX + CONNECTIONS_SPARE;
    struct rlimit files = {.rlim_cur = 1024, .rlim_max = 1024};
    (void)getrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur < want) {
        struct rlimit more = {.rlim_cur = files.rlim_max < want ? files.rlim_max : want,
                              .rlim_max = files.rlim_max};
        if (setrlimit(RLIMIT_NOFILE, &more) == 0)
            files = more;
    }
    if (files.rlim_cur >= want)
        return CONNECTIONS_MAX;
    return files.rlim_cur > 2 * CONNECTIONS_SPARE ? (size_t)files.rlim_cur - CONNECTIONS_SPARE
                                                  : CONNECTIONS_SPARE;
}

int connections_init(struct connections *t)
{
    *t = (struct connections){.slot_count = slots_allowed()};
    t->slots = calloc(t->slot_count, sizeof(*t->slots));
    if (t->slots == NULL)
        return -1;
    for (size_t i = t->slot_count; i-- > 0; t->free = &t->slots[i])
        t->slots[i].newer = t->free;
    return 0;
}

void connections_release(struct connections *t)
{
    for (size_t i = 0; t->slots != NULL && i < t->slot_count; i++)
        if (t->slots[i].state != CONNECTION_FREE)
            connection_drop(&t->slots[i]);
    free(t->slots);
}

static bool is_full(const struct connections *t, bool for_joining)
{
    return for_joining ? t->joining >= CONNECTIONS_JOINING_MAX
                       : t->in_use - t->joining >= t->slot_count - CONNECTIONS_JOINING_MAX;
}

static void make_room(struct connections *t, bool for_joining)
{
    struct connection *c = t->oldest;
    while (c != NULL && c->client.on_join_socket != for_joining)
        c = c->newer;
    if (c != NULL)
        connection_drop(c);
}

struct connection *connection_open(struct connections *t, int fd, bool is_joining)
{
    if (is_full(t, is_joining))
        make_room(t, is_joining);
    struct connection *c = is_full(t, is_joining) ? NULL : t->free;
    if (c == NULL) {
        (void)close(fd);
        return NULL;
    }
    t->free = c->newer;
    t->in_use++;
    t->joining += is_joining;
    *c = (struct connection){.table = t,
                             .fd = fd,
                             .generation = c->generation + 1,
                             .client = {.on_join_socket = is_joining}};
    return c;
}

void connection_drop(struct connection *c)
{
    struct connections *t = c->table;
    (void)event_del(&c->on_in);
    (void)event_del(&c->on_out);
    (void)close(c->fd);
    t->buffered_bytes -= c->in_bytes;
    free(c->in);
    free(c->out);
    buf_release(&c->whole);
    c->in = c->out = NULL;
    c->in_len = c->in_bytes = c->out_len = 0;
    connection_set_state(c, CONNECTION_FREE);
    c->generation++;
    c->newer = t->free;
    t->free = c;
    t->in_use--;
    t->joining -= c->client.on_join_socket;
}

uint64_t connection_id(const struct connection *c)
{
    return (uint64_t)c->generation << 32 | (uint64_t)(c - c->table->slots);
}

struct connection *connection_find(const struct connections *t, uint64_t id)
{
    size_t slot = (size_t)(id & UINT32_MAX);
    struct connection *c = slot < t->slot_count ? &t->slots[slot] : NULL;
    return c != NULL && c->generation == (uint32_t)(id >> 32) ? c : NULL;
}

/* ---- states; connections that await their client are in a list, oldest first ---- */

static void list_add(struct connections *t, struct connection *c)
{
    c->newer = NULL;
    c->older = t->newest;
    *(t->newest != NULL ? &t->newest->newer : &t->oldest) = c;
    t->newest = c;
}

static void list_remove(struct connections *t, struct connection *c)
{
    *(c->older != NULL ? &c->older->newer : &t->oldest) = c->newer;
    *(c->newer != NULL ? &c->newer->older : &t->newest) = c->older;
}

bool connection_awaits_client(const struct connection *c)
{
    return c->state == CONNECTION_READING || c->state == CONNECTION_LINGERING;
}

void connection_set_state(struct connection *c, enum connection_state state)
{
    struct connections *t = c->table;
    if (connection_awaits_client(c))
        list_remove(t, c);
    t->stalled -= c->state == CONNECTION_STALLED;
    t->stalled += state == CONNECTION_STALLED;
    c->state = state;
    c->since_ms = clock_monotonic_ms();
    if (connection_awaits_client(c))
        list_add(t, c);
    if (state == CONNECTION_READING) {
        c->idle_since_ms = c->since_ms;
        c->since_ms = 0;
    }
}

void connection_start_reading(struct connection *c)
{
    if (!c->is_reading && event_add(&c->on_in, NULL) == 0)
        c->is_reading = true;
}

void connection_stop_reading(struct connection *c)
{
    if (c->is_reading && event_del(&c->on_in) == 0)
        c->is_reading = false;
}

/* ---- buffered input ---- */

bool connection_grow_input(struct connection *c, size_t want)
{
    struct connections *t = c->table;
    size_t bytes = c->in_bytes > 0 ? c->in_bytes : INPUT_BYTES_MIN;
    while (bytes < want)
        bytes *= 2;
    if (bytes > REQUEST_BYTES_MAX)
        bytes = REQUEST_BYTES_MAX;
    for (struct connection *old = t->oldest, *next; old != NULL; old = next) {
        next = old->newer;
        if (t->buffered_bytes - c->in_bytes + bytes <= BUFFERED_BYTES_MAX)
            break;
        if (old != c && old->in_bytes > 0 && !old->client.on_join_socket)
            connection_drop(old);
    }
    if (want > bytes || t->buffered_bytes - c->in_bytes + bytes > BUFFERED_BYTES_MAX)
        return false;
    char *in = realloc(c->in, bytes);
    if (in == NULL)
        return false;
    t->buffered_bytes += bytes - c->in_bytes;
    c->in = in;
    c->in_bytes = bytes;
    return true;
}

bool connection_buffer_input(struct connection *c, const char *rest, size_t len)
{
    if (len == 0) {
        c->table->buffered_bytes -= c->in_bytes;
        free(c->in);
        c->in = NULL;
        c->in_len = c->in_bytes = 0;
        return true;
    }
    if (c->in == NULL && !connection_grow_input(c, len))
        return false;
    memmove(c->in, rest, len);
    c->in_len = len;
    return true;
}
