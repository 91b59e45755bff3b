/* SPDX-License-Identifier: ISC */
/* What tunnel-agent status --json prints; field names never change (docs/schema/status.json). */
#ifndef TUNLEASE_WIRE_AGENT_STATUS_H
#define TUNLEASE_WIRE_AGENT_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

struct agent_status_forward {
    const char *listen;    /* HOST:PORT on this host; on the gateway for a reverse forward */
    const char *to;        /* HOST:PORT that connections are forwarded to */
    const char *direction; /* "local" or "reverse" */
    bool open;
    const char *holder; /* if not open: what holds the port, or why it cannot be opened; or NULL */
};

struct agent_status {
    const char *name, *to;
    int64_t pid; /* of the agent */
    const char *state, *reason;
    int64_t since_s;
    int64_t restarts;
    int64_t probe_ms; /* -1: none yet */
    const char *service, *service_detail;
    const struct agent_status_forward *forwards;
    size_t forward_count;
    const char *agent_id;         /* NULL: no gateway */
    int64_t port_b;               /* 0: none */
    const char *lease_expires_at; /* NULL: not known */
    const char *connect_hint;     /* NULL: none */
    bool is_copied;               /* the gateway says that another host has its state */
};

/* One object on one line without a newline. 0, or -1 when memory ran out. */
int agent_status_json(const struct agent_status *s, struct buf *out);

#endif
