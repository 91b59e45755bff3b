/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/tunnel/listening.h"

#include "lib/base/buf.h"
#include "tunnel-agent/config/leg.h"
#include "tunnel-agent/host/endpoint.h"

#include <stddef.h>
#include <string.h>

enum { NAMED_MAX = 8 }; /* ranges; a log line has 1 kB */

static void add_range(struct buf *out, const struct leg *leg, size_t first, size_t count)
{
    const struct forward *f = &leg->forwards[first];
    endpoint_add(out, f->bind, f->port, count);
    buf_add(out, " here leads to ");
    endpoint_add(out, f->host, f->host_port, count);
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
        const size_t whole = leg_range_from(leg, i);
        count = 1;
        if (left_out != NULL && left_out[i])
            continue;
        while (count < whole && (left_out == NULL || !left_out[i + count]))
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
