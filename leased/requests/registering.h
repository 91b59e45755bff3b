/* SPDX-License-Identifier: ISC */
/* A register that is being decided, and its answer when it is accepted. */
#ifndef TUNLEASE_LEASED_REQUESTS_REGISTERING_H
#define TUNLEASE_LEASED_REQUESTS_REGISTERING_H

#include "leased/requests/credential.h"
#include "leased/requests/request_context.h"
#include "lib/lease/agent_copies.h"
#include "lib/lease/pubkey.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct registering {
    const struct request_context *ctx;
    const struct control_request *r;
    bool issued; /* leased made its key for this request */
    struct pubkey key;
    struct credential_verdict verdict;
    struct agent_copies copies; /* as they are to be written with the facts */
    struct control_answer *answer;
    struct request_effects *effects; /* holds the agent */
};

/* Fills in the answer for an agent that has a lease now. secret "": none is sent. */
void registering_accept(struct registering *reg, int64_t expires_s, uint16_t port,
                        const char *secret);

#endif
