/* SPDX-License-Identifier: ISC */
/*
 * Watches whether data comes back through a tunnel, and judges its path and its service.
 *
 * Path and service are judged apart (docs/design.md 6.1). What MUST hold:
 * - Only a silent path is called dead. A dead or silent service never makes it so.
 * - A path is silent if neither of two answers comes: to the probe, and then to the canary. The
 *   canary is a channel to 127.0.0.1:1 of the far side, which its sshd refuses at once, whether or
 *   not it allows any forward.
 * - No answer is missed because this process was stopped or asleep: after a timer that is late, the
 *   probe is sent again.
 */
#ifndef TUNLEASE_AGENT_TUNNEL_WATCH_H
#define TUNLEASE_AGENT_TUNNEL_WATCH_H

#include "tunnel-agent/host/exchange.h"
#include "tunnel-agent/tunnel/forward_check.h"
#include "tunnel-agent/tunnel/probe.h"
#include "tunnel-agent/tunnel/traffic.h"

#include <stdbool.h>
#include <stdint.h>

struct event;
struct event_base;
struct settings;
struct ssh_run;
struct standing;

/* What the timer does next. */
enum watch_step {
    WATCH_LOGIN,   /* polls for the login, then sends the canary until it is answered; then the
                      forwards are checked, if that is wanted */
    WATCH_PROBE,   /* sends the probe */
    WATCH_SUSPECT, /* no answer: the tunnel is suspect, and the canary is sent */
    WATCH_JUDGE,   /* no answer to that either: is the path dead? */
};

struct watch {
    /* Set by the owner before watch_init; so are probe.leg and probe.left_out. */
    const struct settings *settings;
    struct event_base *base;
    const char *canary_path; /* the socket that ssh forwards to the far 127.0.0.1:1 */
    struct ssh_run *ssh;
    struct standing *standing;
    void (*answered)(void *ctx);              /* something came back through the tunnel; check.why
                                                 says whether a forward is forbidden */
    void (*dead)(void *ctx, const char *why); /* the path is dead: call watch_stop */
    void *ctx;

    struct exchange canary;
    struct forward_check check; /* wanted: by the owner, for the next login */
    struct probe probe;
    struct event *timer;
    enum watch_step next;
    int64_t due_ms;
    bool path_answered; /* since this probe began: if the probe is silent, so is the service */
    int64_t started_ms, probe_started_ms, sent_ms;
    struct traffic traffic;
};

/* 0, or -1: no memory. */
int watch_init(struct watch *w);

/* An ssh runs now. started_ms: when the login began, on the monotonic clock. */
void watch_begin(struct watch *w, int64_t started_ms);

/* The machine slept or the program was stopped: probe now, or let the login begin its time again.
 */
void watch_wake(struct watch *w);

void watch_stop(struct watch *w);
void watch_release(struct watch *w);

#endif
