/* SPDX-License-Identifier: ISC */
/*
 * Does data come back through a tunnel? The verdict on its path and on its service.
 *
 * Path and service are judged apart (docs/design.md 6.1). What MUST hold:
 * - Only silence of the path condemns it. A dead or silent service never does.
 * - Silence is what two questions found: the probe, then the canary, a channel to 127.0.0.1:1 of
 *   the far side, which its sshd refuses at once whether or not it allows any forward.
 * - No answer is missed because this process itself was stopped or asleep: a timer that comes late
 *   asks again.
 */
#ifndef TUNLEASE_AGENT_TUNNEL_WATCH_H
#define TUNLEASE_AGENT_TUNNEL_WATCH_H

#include "tunnel-agent/host/exchange.h"
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
    WATCH_LOGIN, /* polls the canary's socket until something came back */
    WATCH_PROBE,
    WATCH_SUSPECT,
    WATCH_JUDGE,
};

struct watch {
    /* Set by the owner before watch_init, and the probe's leg and left_out. */
    const struct settings *settings;
    struct event_base *base;
    const char *canary_path; /* the socket that ssh listens on for the canary */
    struct ssh_run *ssh;
    struct standing *standing;
    void (*answered)(void *ctx);              /* something came back */
    void (*dead)(void *ctx, const char *why); /* the path is; the watch is to be stopped */
    void *ctx;

    struct exchange canary;
    struct probe probe;
    struct event *timer;
    enum watch_step next;
    int64_t due_ms;
    bool path_answered; /* in this look, and answered: silence is then the service's */
    int64_t started_ms, probe_started_ms, sent_ms;
    struct traffic traffic;
};

/* 0, or -1: no memory. */
int watch_init(struct watch *w);

/* An ssh runs now. started_ms: of the monotonic clock, for the time that a login may take. */
void watch_begin(struct watch *w, int64_t started_ms);

/* The machine slept or the program was stopped: look now. */
void watch_wake(struct watch *w);

void watch_stop(struct watch *w);
void watch_release(struct watch *w);

#endif
