/* SPDX-License-Identifier: ISC */
/*
 * This agent's membership at its gateway: it registers, says at each heartbeat that it is there,
 * registers again when it was forgotten, and ends when it was thrown out.
 */
#ifndef TUNLEASE_AGENT_GATEWAY_MEMBERSHIP_H
#define TUNLEASE_AGENT_GATEWAY_MEMBERSHIP_H

#include "tunnel-agent/config/leg.h"
#include "tunnel-agent/gateway/arguments.h"
#include "tunnel-agent/gateway/control_channel.h"
#include "tunnel-agent/gateway/credential.h"
#include "tunnel-agent/gateway/identity.h"
#include "tunnel-agent/gateway/last_word.h"
#include "tunnel-agent/gateway/register_job.h"
#include "tunnel-agent/gateway/registration.h"
#include "tunnel-agent/tunnel/backoff.h"

#include <stdbool.h>
#include <stdint.h>

struct event;
struct gateway_options;
struct supervisor;
struct tunnel;

struct membership {
    /* Set by the owner; all but the tunnel before membership_init. */
    struct supervisor *s;
    const struct gateway_options *o;
    bool is_service; /* a first register that fails ends the program */
    struct arguments arguments;
    struct identity identity;
    struct credential credential;
    struct registration registration;
    struct tunnel *tunnel; /* of leg, which each register may change */
    struct leg leg;

    struct register_job register_job;
    struct control_channel channel; /* a heartbeat, or a register through our own tunnel */
    bool sends_register;
    struct event *register_timer;
    struct backoff backoff;
    int64_t registered_ms;
    int64_t moved_ms; /* when an answer last ended an ssh that was up; 0: never */
    struct last_word last_word;
    unsigned heartbeats_down;
};

/* 0, or -1: no memory. */
int membership_init(struct membership *m);

/* Starts the tunnel with what is known of the gateway. */
void membership_start_tunnel(struct membership *m);

/* Registers at the endpoint, unless that is under way. What follows, the answer decides. */
void membership_register(struct membership *m);

/* Asks through the tunnel, when that is up: a heartbeat, or a register where none counts. */
void membership_send(struct membership *m);

/* Has a last word been confirmed? Then the program is being stopped. */
bool membership_stop_if_confirmed(struct membership *m);

/* Before the loop is released: asks nothing more. */
void membership_cancel(struct membership *m);

/* After the tunnel is released. */
void membership_release(struct membership *m);

#endif
