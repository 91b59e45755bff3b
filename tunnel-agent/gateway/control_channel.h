/* SPDX-License-Identifier: ISC */
/* The questions to the control plane through the tunnel itself: one at each interval, for ever. */
#ifndef TUNLEASE_AGENT_GATEWAY_CONTROL_CHANNEL_H
#define TUNLEASE_AGENT_GATEWAY_CONTROL_CHANNEL_H

#include "tunnel-agent/host/exchange.h"

#include <stdbool.h>
#include <stddef.h>

struct event;
struct event_base;
struct registration;

struct control_channel {
    /* Set by the owner before control_channel_init. */
    struct event_base *base;
    const struct registration *registration; /* says how often */
    void (*due)(void *ctx);                  /* it is time for control_channel_send */
    void (*answered)(void *ctx, unsigned status, const char *body, size_t len);
    void *ctx;

    struct exchange exchange;
    struct event *timer, *deadline;
    bool silence_is_logged;
};

/* 0, or -1: no memory. */
int control_channel_init(struct control_channel *c);

/* Asks over that unix socket. request is copied; NULL: it could not be made, and the next is due
 * after the interval as usual. Silence is logged once, and is no answer. */
void control_channel_send(struct control_channel *c, const char *control_sock, const char *request);

/* Until the next control_channel_send. */
void control_channel_stop(struct control_channel *c);
void control_channel_release(struct control_channel *c);

#endif
