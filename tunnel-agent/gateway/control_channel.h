/* SPDX-License-Identifier: ISC */
/* Requests to the control port through the tunnel itself: heartbeats and registers, one in each
 * interval. */
#ifndef TUNLEASE_AGENT_GATEWAY_CONTROL_CHANNEL_H
#define TUNLEASE_AGENT_GATEWAY_CONTROL_CHANNEL_H

#include "tunnel-agent/host/exchange.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event;
struct event_base;
struct registration;

struct control_channel {
    /* Set by the owner before control_channel_init. */
    struct event_base *base;
    const struct registration *registration; /* its heartbeat interval */
    void (*due)(void *ctx);                  /* it is time for control_channel_send */
    void (*answered)(void *ctx, unsigned status, const char *body, size_t len);
    void *ctx;

    struct exchange exchange;
    struct event *timer, *deadline;
    bool silence_is_logged;
};

/* 0, or -1: no memory. */
int control_channel_init(struct control_channel *c);

/* Sends an HTTP request over the unix socket. request is copied; if it is NULL, for lack of memory,
 * none is sent. answered is called if an answer comes; a silent gateway is logged once. Afterwards,
 * in any case, due is called after the interval. */
void control_channel_send(struct control_channel *c, const char *control_sock, const char *request);

/* From answered: due is called after so long, in place of the interval. */
void control_channel_wait(struct control_channel *c, int64_t wait_ms);

/* Cancels what is under way, and calls nothing until the next control_channel_send. */
void control_channel_stop(struct control_channel *c);
void control_channel_release(struct control_channel *c);

#endif
