/* SPDX-License-Identifier: ISC */
#include "leased/http/timeouts.h"

#include "lib/base/clock.h"

enum {
    REQUEST_MS = 5000, /* from a request's first byte to its last */
    IDLE_MS = 75000,
    ENGINE_MS = 6000, /* engine itself answers 503 after 5 s */
    SEND_MS = 10000,  /* for a client to read its answer */
    LINGER_MS = 2000, /* for a client to end its side after the last answer */
};

static void check_connection(struct server *s, struct connection *c, int64_t now_ms)
{
    int64_t waits_ms = now_ms - c->since_ms;
    switch (c->state) {
    case CONNECTION_READING:
        if (c->since_ms != 0 ? waits_ms > REQUEST_MS : now_ms - c->idle_since_ms > IDLE_MS)
            connection_drop(c);
        break;
    case CONNECTION_STALLED:
    case CONNECTION_WAITING:
        if (waits_ms > ENGINE_MS)
            server_give_up(s, c);
        break;
    case CONNECTION_SENDING:
        if (waits_ms > SEND_MS)
            connection_drop(c);
        break;
    case CONNECTION_LINGERING:
        if (waits_ms > LINGER_MS)
            connection_drop(c);
        break;
    case CONNECTION_FREE:
        break;
    }
}

void timeouts_check(struct server *s)
{
    const struct connections *t = &s->connections;
    const int64_t now_ms = clock_monotonic_ms();
    for (size_t i = 0; i < t->slot_count && t->in_use > 0; i++)
        check_connection(s, &t->slots[i], now_ms);
}
