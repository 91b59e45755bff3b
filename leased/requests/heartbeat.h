/* SPDX-License-Identifier: ISC */
/* Decides a heartbeat. */
#ifndef TUNLEASE_LEASED_REQUESTS_HEARTBEAT_H
#define TUNLEASE_LEASED_REQUESTS_HEARTBEAT_H

#include "lib/store/store.h"
#include "lib/wire/control.h"

#include <stdint.h>

struct member;
struct request_context;
struct request_effects;

/* Fills *a and *effects, which are zero-initialised. Anything but STORE_OK: the store failed. */
enum store_rc heartbeat_decide(const struct request_context *ctx, const struct control_request *r,
                               struct control_answer *a, struct request_effects *effects);

/* The new end of the lease of an agent that has shown itself now, in Unix seconds. */
int64_t heartbeat_end_s(const struct request_context *ctx, const struct member *agent);

#endif
