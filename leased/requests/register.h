/* SPDX-License-Identifier: ISC */
/* What an agent is told that wants a lease: who may have one, a new one or the one it has. */
#ifndef TUNLEASE_LEASED_REQUESTS_REGISTER_H
#define TUNLEASE_LEASED_REQUESTS_REGISTER_H

#include "lib/store/store.h"
#include "lib/wire/control.h"

#include <stdbool.h>
#include <stdint.h>

struct request_context;
struct request_effects;

/* Registers that came lately. */
struct register_burst {
    unsigned count;
    int64_t since_ms;
};

/*
 * Fills *a and *effects, which are zero-initialised. issued: the public key in the request was made
 * here, for it. Anything but STORE_OK: the store failed.
 */
enum store_rc register_decide(const struct request_context *ctx, const struct control_request *r,
                              bool issued, struct control_answer *a,
                              struct request_effects *effects);

/* Whether a key pair is to be made for a register without a public key: only for who may have one.
 */
bool register_wants_key(const struct request_context *ctx, const struct control_request *r);

#endif
