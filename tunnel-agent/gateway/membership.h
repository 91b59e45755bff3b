/* SPDX-License-Identifier: ISC */
/*
 * This agent's membership at its gateway: it registers, sends heartbeats, registers again when the
 * gateway has forgotten it, and stops when it was revoked.
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
#include "tunnel-agent/gateway/target_keys.h"
#include "tunnel-agent/gateway/turn.h"
#include "tunnel-agent/tunnel/backoff.h"

#include <stdbool.h>
#include <stdint.h>

struct event;
struct gateway_options;
struct supervisor;
struct tunnel;

struct membership {
    /* Set by the owner before membership_init; tunnel afterwards. */
    struct supervisor *s;
    const struct gateway_options *o;
    bool is_service; /* of -d: if the first register fails, the program ends */
    struct arguments arguments;
    struct identity identity;
    struct credential credential;
    struct turn turn;
    struct registration registration;
    struct tunnel *tunnel; /* of leg, which each register may replace */
    struct leg leg;

    struct register_job register_job;
    struct target_keys target_keys;
    bool has_new_keys;              /* of the target, which no register has told */
    struct control_channel channel; /* through our own tunnel */
    bool sends_register;            /* the request of channel is a register, not a heartbeat */
    struct event *register_timer;
    struct backoff backoff;
    int64_t registered_ms;
    int64_t moved_ms; /* when an answer last moved a tunnel that was up; 0: never */
    struct last_word last_word;
    unsigned heartbeats_down; /* in a row: answers that say the tunnel is down */
};

/* 0, or -1: no memory. */
int membership_init(struct membership *m);

/* Starts the tunnel with what is known of the gateway, or stops the program if that cannot be used.
 */
void membership_start_tunnel(struct membership *m);

/* Registers at the endpoint, unless that is under way. The answer starts, pauses or moves the
 * tunnel. */
void membership_register(struct membership *m);

/* The next login asks for no port, and registers through the tunnel to be given one: after an admin
 * has added this agent again, its lease may have another port than the one that we remember. */
void membership_give_up_port(struct membership *m);

/* Sends a request through the tunnel if that is up: a heartbeat, or a register if we are not
 * registered now or have something new to tell. */
void membership_send(struct membership *m);

/* True if a last word is confirmed; it then stops the program. */
bool membership_stop_if_confirmed(struct membership *m);

/* Cancels all requests. Call it before the loop is released. */
void membership_cancel(struct membership *m);

/* Call it after the tunnel is released. */
void membership_release(struct membership *m);

#endif
