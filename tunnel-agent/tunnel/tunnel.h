/* SPDX-License-Identifier: ISC */
/*
 * One leg kept up: starts its ssh, and starts it anew when it ended or when the path is dead.
 *
 * What MUST hold:
 * - Up means that something came back from the far side's sshd, not that a process lives.
 * - Only silence of the path, or ssh's own exit, starts it anew. A dead or silent service never
 *   does (watch.h).
 */
#ifndef TUNLEASE_AGENT_TUNNEL_TUNNEL_H
#define TUNLEASE_AGENT_TUNNEL_TUNNEL_H

#include "tunnel-agent/ssh/run.h"
#include "tunnel-agent/ssh/message.h"
#include "tunnel-agent/tunnel/backoff.h"
#include "tunnel-agent/tunnel/key_query.h"
#include "tunnel-agent/tunnel/local_ports.h"
#include "tunnel-agent/tunnel/standing.h"
#include "tunnel-agent/tunnel/watch.h"

#include <stdbool.h>
#include <stdint.h>

struct event;
struct event_base;
struct leg;
struct settings;

enum { TUNNEL_PATH_BYTES = 104 }; /* sun_path of the smallest system, with its NUL */

/* What its owner wants to hear and decide; every function may be NULL. */
struct tunnel_hooks {
    void *ctx;
    void (*up)(void *ctx);
    /* ssh has ended, and not by tunnel_stop. True: the owner calls tunnel_start or tunnel_pause
     * itself; false: the usual wait. */
    bool (*down)(void *ctx, enum ssh_message cause, bool was_up);
    void (*changed)(void *ctx); /* a state, for the service manager's status line */
};

struct tunnel {
    /* Set by the owner before tunnel_init. */
    const struct leg *leg;
    const struct settings *settings;
    struct event_base *base;
    const char *run_dir; /* for sockets of ours */
    unsigned number;     /* tells its sockets from another's */
    struct tunnel_hooks hooks;

    struct standing standing;
    struct ssh_run ssh;
    struct watch watch;
    struct local_ports ports;
    struct key_query key_query;

    bool has_answered; /* something came back from the far side through this ssh */
    bool is_killed, stopping, stopped;
    bool is_reconnecting; /* tunnel_reconnect ended the ssh that ran */
    int64_t first_answer_ms;
    unsigned slow_logins; /* in a row: the host answered, but too slowly */
    struct event *timer, *port_timer;
    struct backoff backoff;
    enum backoff_kind wait_kind; /* of timer, while no ssh runs */
    char canary_path[TUNNEL_PATH_BYTES], mux_path[TUNNEL_PATH_BYTES], pin_path[TUNNEL_PATH_BYTES];
};

/* -1: no memory, or run_dir is too long for a socket's path (*ret_why says which). */
int tunnel_init(struct tunnel *t, const char **ret_why);
void tunnel_start(struct tunnel *t);

/* Waits for ms with this reason shown, as held, then starts. */
void tunnel_pause(struct tunnel *t, int64_t ms, const char *reason);
/* Waits for the owner's next call, with this reason shown, as held. */
void tunnel_pause_until_owner(struct tunnel *t, const char *reason);
/* Waits for ms, connecting, then starts. */
void tunnel_start_in(struct tunnel *t, int64_t ms);
/* Waits for the owner's next call, connecting. */
void tunnel_await_owner(struct tunnel *t, const char *reason);
/* Ends the ssh that runs, if any, and starts anew at once. */
void tunnel_restart(struct tunnel *t, const char *reason);

/* The same where nothing was wrong: it counts as no restart, and leaves no reason. */
void tunnel_reconnect(struct tunnel *t, const char *why);

/* The machine slept or the program was stopped: look now. */
void tunnel_wake(struct tunnel *t);

/* waitpid(2) returned t->pid with this status. */
void tunnel_reaped(struct tunnel *t, int status);

/* Asks ssh to end; t->stopped once it has. A second call kills it. */
void tunnel_stop(struct tunnel *t);
void tunnel_release(struct tunnel *t);

#endif
