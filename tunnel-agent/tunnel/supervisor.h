/* SPDX-License-Identifier: ISC */
/*
 * The running program: one loop, its tunnels, signals, sleep and waking.
 */
#ifndef TUNLEASE_AGENT_TUNNEL_SUPERVISOR_H
#define TUNLEASE_AGENT_TUNNEL_SUPERVISOR_H

#include "tunnel-agent/config/leg.h"
#include "tunnel-agent/config/settings.h"
#include "tunnel-agent/host/statedir.h"
#include "tunnel-agent/tunnel/status_socket.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct agent_status;
struct event;
struct event_base;
struct tunnel;

struct supervisor {
    struct event_base *base;
    struct settings settings;
    struct statedir state;
    struct tunnel **tunnels; /* owned */
    size_t tunnel_count;
    struct event *signals[6];
    struct event *tick;
    struct status_socket status;
    int64_t tick_due_ms, awake_offset_ms, watchdog_ms, watchdog_last_ms;
    bool stopping;
    int exit_code;
    /* A gateway's: fills in what it knows of the tunnel. May be NULL. */
    void (*fill_status)(void *ctx, struct agent_status *s);
    void *fill_ctx;
    char status_line[256]; /* last sent to the service manager */
};

/* Opens the loop. s->settings and s->state are set already. 0, or -1 with errno or *ret_why. */
int supervisor_init(struct supervisor *s, const char **ret_why);

/* Adds a tunnel for leg, which must outlive s; it is not started. NULL: *ret_why says why. */
struct tunnel *supervisor_add(struct supervisor *s, const struct leg *leg, const char **ret_why);

/* Runs until stopped by a signal or supervisor_stop; the exit status of the program. */
int supervisor_loop(struct supervisor *s);

/* Ends all tunnels, then the loop, with this exit status. */
void supervisor_stop(struct supervisor *s, int exit_code);
/* A tunnel's state has changed: tells the service manager. */
void supervisor_changed(struct supervisor *s);
void supervisor_release(struct supervisor *s);

#endif
