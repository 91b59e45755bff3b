/* SPDX-License-Identifier: ISC */
/*
 * Keeps one leg up: starts its ssh, and restarts it when it has ended or its path is dead.
 *
 * What MUST hold:
 * - Up means that something came back from the far side's sshd, not that a process lives.
 * - Only a silent path or ssh's own exit leads to a restart. A dead or silent service never does
 *   (watch.h).
 */
#ifndef TUNLEASE_AGENT_TUNNEL_TUNNEL_H
#define TUNLEASE_AGENT_TUNNEL_TUNNEL_H

#include "tunnel-agent/ssh/message.h"
#include "tunnel-agent/ssh/run.h"
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

enum { TUNNEL_PATH_BYTES = 104 }; /* the smallest sun_path of any system, with the NUL */

/* How the owner is told, and decides. Every function may be NULL. */
struct tunnel_hooks {
    void *ctx;
    void (*up)(void *ctx);
    /* ssh has ended, and not by tunnel_stop. True: the owner decides when to start again; false:
     * the tunnel does, after the usual wait. */
    bool (*down)(void *ctx, enum ssh_message cause, bool was_up);
    void (*changed)(void *ctx); /* the state, for the status at the service manager */
};

struct tunnel {
    /* Set by the owner before tunnel_init. */
    const struct leg *leg;
    const struct settings *settings;
    struct event_base *base;
    const char *run_dir; /* the directory of its sockets */
    unsigned number;     /* of the tunnel, in the names of its sockets */
    struct tunnel_hooks hooks;

    struct standing standing;
    struct ssh_run ssh;
    struct watch watch;
    struct local_ports ports;
    struct key_query key_query;

    bool has_answered; /* something came back through this ssh */
    bool is_killed;    /* we killed ssh, so the next attempt follows soon */
    bool stopping, stopped;
    bool is_reconnecting; /* tunnel_reconnect has killed ssh */
    int64_t first_answer_ms;
    unsigned slow_logins; /* in a row: the host answered, but not within ConnectTimeout */
    struct event *timer, *port_timer;
    struct backoff backoff;
    enum backoff_kind wait_kind; /* why timer is set, while no ssh runs */
    char canary_path[TUNNEL_PATH_BYTES], mux_path[TUNNEL_PATH_BYTES], pin_path[TUNNEL_PATH_BYTES];
};

/* 0, or -1 with *ret_why: no memory, or run_dir is too long for the path of a socket. Release t
 * either way. */
int tunnel_init(struct tunnel *t, const char **ret_why);

/* Starts ssh, unless it runs or must wait: for the pinned host key, or for a local port. */
void tunnel_start(struct tunnel *t);

/* Shows the tunnel as held, with this reason, and starts it after ms. */
void tunnel_pause(struct tunnel *t, int64_t ms, const char *reason);
/* Shows the tunnel as held, with this reason, until the owner's next call. */
void tunnel_pause_until_owner(struct tunnel *t, const char *reason);
/* Starts after ms. */
void tunnel_start_in(struct tunnel *t, int64_t ms);
/* Shows the tunnel as connecting, with this reason, until the owner's next call. */
void tunnel_await_owner(struct tunnel *t, const char *reason);
/* Kills ssh if it runs, and starts it again. */
void tunnel_restart(struct tunnel *t, const char *reason);

/* The same where nothing was wrong: it is not counted as a restart, and leaves no reason. */
void tunnel_reconnect(struct tunnel *t, const char *why);

/* The machine slept or the program was stopped: probe now. */
void tunnel_wake(struct tunnel *t);

/* waitpid(2) returned t->ssh.pid with this status. */
void tunnel_reaped(struct tunnel *t, int status);

/* Ends ssh with SIGTERM, and with SIGKILL after a while; t->stopped is set once it has ended. A
 * second call kills it at once. */
void tunnel_stop(struct tunnel *t);
void tunnel_release(struct tunnel *t);

#endif
