/* SPDX-License-Identifier: ISC */
/* One register that is being decided, and the end of it: a lease for a new agent, or the lease of
 * one that is known. Both answer. */
#ifndef TUNLEASE_LEASED_REQUESTS_REGISTERING_H
#define TUNLEASE_LEASED_REQUESTS_REGISTERING_H

#include "leased/requests/credential.h"
#include "leased/requests/request_context.h"
#include "lib/lease/pubkey.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct registering {
    const struct request_context *ctx;
    const struct control_request *r;
    bool issued; /* its key was made here, for this request */
    struct pubkey key;
    struct credential_verdict verdict;
    struct control_answer *answer;
    struct request_effects *effects; /* with the agent */
};

/* For an agent that there is none of. */
enum store_rc register_new(struct registering *reg);

/* For an agent whose key and credential were found to be its own. */
enum store_rc register_known(struct registering *reg);

/* The answer to one that has a lease now. secret "": it is not told. */
void register_accept(struct registering *reg, int64_t expires_s, uint16_t port, const char *secret);

#endif
