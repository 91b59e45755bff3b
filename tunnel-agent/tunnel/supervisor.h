/* SPDX-License-Identifier: ISC */
/*
 * The running program: the event loop, all tunnels, signals, and waking after sleep.
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
#include <sys/types.h>

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
    /* Fills in what only a gateway's agent knows; may be NULL. */
    void (*fill_status)(void *ctx, struct agent_status *s);
    void *fill_ctx;
    /* A child that is no ssh of a tunnel was reaped; may be NULL. */
    void (*reaped)(void *ctx, pid_t pid);
    void *reaped_ctx;
    char status_line[256]; /* last sent to the service manager */
};

/* Makes the loop; s->settings and s->state must be set. 0; or -1 with *ret_why, or with errno if
 * that is NULL. Release s either way. */
int supervisor_init(struct supervisor *s, const char **ret_why);

/* Adds a tunnel for leg, which must outlive s, and does not start it. NULL: *ret_why says why. */
struct tunnel *supervisor_add(struct supervisor *s, const struct leg *leg, const char **ret_why);

/* Runs the loop until a signal or supervisor_stop ends it. Returns the exit status of the program.
 */
int supervisor_loop(struct supervisor *s);

/* Stops all tunnels, then the loop, with this exit status. A second call kills each ssh that is
 * left. */
void supervisor_stop(struct supervisor *s, int exit_code);
/* A tunnel's state has changed: updates the status at the service manager. */
void supervisor_changed(struct supervisor *s);
void supervisor_release(struct supervisor *s);

#endif
