/* SPDX-License-Identifier: ISC */
/* The questions to the control plane through the tunnel itself: one at each interval, for ever. */
#ifndef TUNLEASE_AGENT_GATEWAY_BEAT_H
#define TUNLEASE_AGENT_GATEWAY_BEAT_H

#include "tunnel-agent/host/exchange.h"

#include <stdbool.h>
#include <stddef.h>

struct event;
struct event_base;
struct registration;

struct beat {
    /* Set by the owner before beat_init. */
    struct event_base *base;
    const struct registration *registration; /* says how often */
    void (*due)(void *ctx);                  /* it is time for beat_ask */
    void (*answered)(void *ctx, unsigned status, const char *body, size_t len);
    void *ctx;

    struct exchange exchange;
    struct event *timer, *deadline;
    bool silence_is_logged;
};

/* 0, or -1: no memory. */
int beat_init(struct beat *b);

/* Asks over that unix socket. request is copied; NULL: it could not be made, and the next is due
 * after the interval as usual. Silence is logged once, and is no answer. */
void beat_ask(struct beat *b, const char *control_sock, const char *request);

/* Until the next beat_ask. */
void beat_stop(struct beat *b);
void beat_release(struct beat *b);

#endif
