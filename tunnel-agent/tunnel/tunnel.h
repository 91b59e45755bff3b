/* SPDX-License-Identifier: ISC */
/*
 * One leg kept up: its ssh, and whether data comes back through it.
 *
 * Path and service are judged apart (DESIGN 6). What MUST hold:
 * - Up means that something came back from the far side's sshd, not that a process lives.
 * - Only silence of the path, or ssh's own exit, starts it anew. A dead or silent service never
 * does.
 * - Silence is what two questions found: the probe, then the canary, a channel to 127.0.0.1:1 of
 *   the far side, which its sshd refuses at once whether or not it allows any forward.
 * - No answer is missed because this process itself was stopped or asleep: a timer that comes late
 *   asks again.
 */
#ifndef TUNLEASE_AGENT_TUNNEL_TUNNEL_H
#define TUNLEASE_AGENT_TUNNEL_TUNNEL_H

#include "tunnel-agent/config/leg.h"
#include "tunnel-agent/host/exchange.h"
#include "tunnel-agent/host/platform.h"
#include "tunnel-agent/ssh/words.h"
#include "tunnel-agent/tunnel/backoff.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct event;
struct event_base;
struct job;
struct settings;
struct tunnel;

enum {
    TUNNEL_TEXT_BYTES = 320,
    TUNNEL_PATH_BYTES = 104, /* sun_path of the smallest system, with its NUL */
    TUNNEL_HOLDER_BYTES = 96,
};

enum tunnel_state { TUNNEL_CONNECTING, TUNNEL_UP, TUNNEL_SUSPECT, TUNNEL_HELD, TUNNEL_STATE__MAX };

enum service_state {
    SERVICE_UNKNOWN, /* not asked yet, or not to be asked (Probe none) */
    SERVICE_OK,
    SERVICE_SILENT,    /* accepts and never answers */
    SERVICE_DOWN,      /* cannot be reached from the far side */
    SERVICE_FORBIDDEN, /* the far side's sshd refuses the forward */
    SERVICE__MAX,
};

/* What its owner wants to hear and decide; every function may be NULL. */
struct tunnel_hooks {
    void *ctx;
    void (*up)(void *ctx);
    /* ssh has ended, and not by tunnel_stop. True: the owner calls tunnel_start or tunnel_hold
     * itself; false: the usual wait. */
    bool (*down)(void *ctx, enum ssh_said said, bool was_up);
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

    enum tunnel_state state;
    int64_t since_s; /* Unix seconds of the last change of state */
    char reason[TUNNEL_TEXT_BYTES];
    unsigned restarts;
    int64_t probe_ms; /* how long the last answer took; -1: none yet */
    enum service_state service;
    char service_text[TUNNEL_TEXT_BYTES];
    bool *left_out; /* of forward i: its local port is taken */
    char (*holder)[TUNNEL_HOLDER_BYTES];
    size_t left_out_count;

    pid_t pid; /* 0: no ssh */
    int err_fd;
    struct event *err_event;
    char line[512]; /* of ssh's standard error, so far */
    size_t line_len;
    enum ssh_said said, channel_said;
    char said_text[TUNNEL_TEXT_BYTES];
    bool authenticated, proven, condemned, stopping, stopped;
    bool begins_anew;        /* tunnel_begin_anew ended the ssh that ran */
    bool path_was_asked;     /* in this look, and answered: silence is then the service's */
    bool host_key_is_pinned; /* the pin file holds the key that --host-key named */
    int64_t started_ms, proven_ms, looked_ms, asked_ms;
    unsigned slow_logins;     /* in a row: the host answered, but too slowly */
    unsigned long connection; /* ssh's own, see platform_connection; 0: not known */
    enum platform_carrier carrier;
    int64_t acked_bytes, taken_bytes; /* on it, when last asked */
    int64_t moved_ms;                 /* when that had last grown, or the look began */

    struct exchange canary, probe;
    struct event *timer, *port_timer;
    int purpose; /* of timer: enum timer_purpose */
    int64_t due_ms;
    struct backoff backoff;
    enum backoff_kind waiting_for;
    struct job *job;
    char last_logged[TUNNEL_TEXT_BYTES];
    int64_t last_logged_ms;
    char canary_path[TUNNEL_PATH_BYTES], mux_path[TUNNEL_PATH_BYTES], pin_path[TUNNEL_PATH_BYTES];
};

/* -1: no memory, or run_dir is too long for a socket's path (*ret_why says which). */
int tunnel_init(struct tunnel *t, const char **ret_why);
void tunnel_start(struct tunnel *t);

/* Waits for ms with this reason shown, as held, then starts. */
void tunnel_hold(struct tunnel *t, int64_t ms, const char *reason);
/* Waits for ms, connecting, then starts. */
void tunnel_start_in(struct tunnel *t, int64_t ms);
/* Waits for the owner's next call, connecting. */
void tunnel_wait_for_owner(struct tunnel *t, const char *reason);
/* Ends the ssh that runs, if any, and starts anew at once. */
void tunnel_restart(struct tunnel *t, const char *reason);

/* The same where nothing was wrong: it counts as no restart, and leaves no reason. */
void tunnel_begin_anew(struct tunnel *t, const char *why);

/* The machine slept or the program was stopped: look now. */
void tunnel_wake(struct tunnel *t);

/* waitpid(2) returned t->pid with this status. */
void tunnel_reaped(struct tunnel *t, int status);

/* Asks ssh to end; t->stopped once it has. A second call kills it. */
void tunnel_stop(struct tunnel *t);
void tunnel_release(struct tunnel *t);

const char *tunnel_state_name(enum tunnel_state state);
const char *service_state_name(enum service_state service);

#endif
