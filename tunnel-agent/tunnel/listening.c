/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/tunnel/listening.h"

#include "lib/base/buf.h"
#include "tunnel-agent/config/leg.h"
#include "tunnel-agent/host/endpoint.h"

#include <stddef.h>
#include <string.h>

enum { NAMED_MAX = 8 }; /* ranges; a log line has 1 kB */

static bool is_next(const struct forward *last, const struct forward *f)
{
    return f->port == last->port + 1 && f->host_port == last->host_port + 1 &&
           strcmp(f->bind, last->bind) == 0 && strcmp(f->host, last->host) == 0;
}

static void add_endpoint(struct buf *out, const char *host, unsigned port, size_t count)
{
    char text[ENDPOINT_BYTES];
    endpoint_format(host, port, text);
    buf_add(out, text);
    if (count > 1)
        buf_addf(out, "-%u", port + (unsigned)count - 1);
}

static void add_range(struct buf *out, const struct leg *leg, size_t first, size_t count)
{
    const struct forward *f = &leg->forwards[first];
    add_endpoint(out, f->bind, f->port, count);
    buf_add(out, " here leads to ");
    add_endpoint(out, f->host, f->host_port, count);
    buf_addf(out, " at %s", leg->to);
}

/* BIND:PORT:HOST:PORT, where BIND has no colon outside brackets. */
static void add_reverse(struct buf *out, const struct leg *leg)
{
    const char *colon = leg->reverse[0] == '[' ? strchr(leg->reverse, ']') : leg->reverse;
    colon = colon != NULL ? strchr(colon, ':') : NULL;
    colon = colon != NULL ? strchr(colon + 1, ':') : NULL;
    if (colon != NULL)
        buf_addf(out, "%.*s at %s leads to %s here", (int)(colon - leg->reverse), leg->reverse,
                 leg->to, colon + 1);
}

void listening_add(struct buf *out, const struct leg *leg, const bool *left_out)
{
    size_t named = 0, more = 0;
    if (leg->reverse != NULL)
        add_reverse(out, leg);
    for (size_t i = 0, count; i < leg->forward_count; i += count) {
        count = 1;
        if (left_out != NULL && left_out[i])
            continue;
        while (i + count < leg->forward_count && (left_out == NULL || !left_out[i + count]) &&
               is_next(&leg->forwards[i + count - 1], &leg->forwards[i + count]))
            count++;
        if (named++ >= NAMED_MAX) {
            more += count;
            continue;
        }
        if (out->len > 0)
            buf_add(out, ", ");
        add_range(out, leg, i, count);
    }
    if (more > 0)
        buf_addf(out, ", and %zu more", more);
}
