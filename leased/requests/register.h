/* SPDX-License-Identifier: ISC */
/* Decides a register: who may have a lease, and whether a new one or the one it has. */
#ifndef TUNLEASE_LEASED_REQUESTS_REGISTER_H
#define TUNLEASE_LEASED_REQUESTS_REGISTER_H

#include "lib/store/store.h"
#include "lib/wire/control.h"

#include <stdbool.h>
#include <stdint.h>

struct request_context;
struct request_effects;

/*
 * Fills *a and *effects, which must be zero-initialised. issued: leased made the key pair for this
 * request. Anything but STORE_OK: the store failed.
 */
enum store_rc register_decide(const struct request_context *ctx, const struct control_request *r,
                              bool issued, struct control_answer *a,
                              struct request_effects *effects);

/* Whether leased has to make a key pair for this request: it has no public key, and the sender may
 * have one made. */
bool register_wants_key(const struct request_context *ctx, const struct control_request *r);

#endif
