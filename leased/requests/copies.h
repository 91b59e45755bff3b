/* SPDX-License-Identifier: ISC */
/*
 * Finds out copies of an agent (docs/protocol.md 4.5): judges the counter and the nonce of a
 * request whose credential is good. The rule is lib/lease/agent_counter.h; here is what it is asked
 * about, and what becomes of a copy: a refusal, a row of the audit in an hour, and perhaps a
 * freeze.
 */
#ifndef TUNLEASE_LEASED_REQUESTS_COPIES_H
#define TUNLEASE_LEASED_REQUESTS_COPIES_H

#include "lib/lease/agent_copies.h"
#include "lib/store/store.h"
#include "lib/wire/control.h"

#include <stdbool.h>

struct request_context;
struct request_effects;

enum {
    COPIES_NOTED_S = 3600, /* a copy of an agent is logged and audited once in this time, */
    COPIES_SEEN_S = 60,    /* and written down once in this: copies must not keep the disk busy */
};

/*
 * Accepts the request, and sets the counter of *a and of effects->agent, for the caller to write;
 * or refuses. gets_secret: of a register that proved itself otherwise than by the agent's secret.
 * *copies is for a register alone, which writes it with the facts; NULL for a heartbeat.
 */
enum store_rc copies_judge(const struct request_context *ctx, const struct control_request *r,
                           bool gets_secret, struct agent_copies *copies, struct control_answer *a,
                           struct request_effects *effects);

#endif
