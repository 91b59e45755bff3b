/* SPDX-License-Identifier: ISC */
/* What an agent is told that says it is still there. */
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

/* Until when the lease of an agent lasts that has shown itself now; in Unix seconds. */
int64_t heartbeat_end_s(const struct request_context *ctx, const struct member *agent);

#endif
