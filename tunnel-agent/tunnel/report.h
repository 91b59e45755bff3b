/* SPDX-License-Identifier: ISC */
/* The report of all tunnels, for `tunnel-agent status`. */
#ifndef TUNLEASE_AGENT_TUNNEL_REPORT_H
#define TUNLEASE_AGENT_TUNNEL_REPORT_H

#include <stdbool.h>
#include <stddef.h>

struct agent_status;
struct buf;
struct tunnel;

struct report {
    struct tunnel *const *tunnels;
    size_t count;
    /* Fills in what only a gateway's agent knows; may be NULL. */
    void (*fill)(void *ctx, struct agent_status *s);
    void *fill_ctx;
};

/* Adds all tunnels to out: JSON objects with ",\n" between them, or lines of tab-separated values.
 */
void report_format(const struct report *r, bool json, struct buf *out);

#endif
