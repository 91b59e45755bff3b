/* SPDX-License-Identifier: ISC */
/* The probe: a request to the service behind a tunnel, and what the answer tells of the service. */
#ifndef TUNLEASE_AGENT_TUNNEL_PROBE_H
#define TUNLEASE_AGENT_TUNNEL_PROBE_H

#include "tunnel-agent/host/exchange.h"
#include "tunnel-agent/tunnel/standing.h"

#include <stdbool.h>

struct event_base;
struct forward;
struct leg;
struct ssh_run;

struct probe {
    const struct leg *leg;
    const bool *left_out; /* forward i is left out, so it cannot be probed */
    struct exchange exchange;
};

/* True if there is a forward to probe, and Probe is not none. */
bool probe_is_possible(const struct probe *p);

/* Sends the probe. done is called once from the loop; or never, if there is nothing to connect to.
 */
void probe_send(struct probe *p, struct event_base *base,
                void (*done)(void *ctx, enum exchange_end end), void *ctx);

/* Judges the service from how the exchange ended. run: its ssh, which may have said why a channel
 * failed.
 */
void probe_judge(const struct probe *p, enum exchange_end end, const struct ssh_run *run,
                 struct standing *s);

/* A sentence's words about a forward that the far side forbids. text: what ssh says of it. */
void probe_describe_forbidden(char out[static TUNNEL_TEXT_BYTES], const struct forward *f,
                              const char *text);

#endif
