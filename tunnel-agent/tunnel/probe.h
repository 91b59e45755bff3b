/* SPDX-License-Identifier: ISC */
/* The question to the service behind a tunnel, and what its answer says about the service. */
#ifndef TUNLEASE_AGENT_TUNNEL_PROBE_H
#define TUNLEASE_AGENT_TUNNEL_PROBE_H

#include "tunnel-agent/host/exchange.h"
#include "tunnel-agent/ssh/message.h"

#include <stdbool.h>

struct event_base;
struct leg;
struct standing;

struct probe {
    const struct leg *leg;
    const bool *left_out; /* of forward i: it is not held, and cannot be asked */
    struct exchange exchange;
};

/* Is there a service to ask, and may it be asked? */
bool probe_is_possible(const struct probe *p);

/* Asks; done is called as exchange_start says, or, where there is nothing to connect to, never. */
void probe_send(struct probe *p, struct event_base *base,
                void (*done)(void *ctx, enum exchange_end end), void *ctx);

/* Of a question that ended so: the verdict on the service. said: what ssh said of the channel. */
void probe_judge(const struct probe *p, enum exchange_end end, enum ssh_message failure,
                 struct standing *s);

#endif
