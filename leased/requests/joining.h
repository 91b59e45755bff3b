/* SPDX-License-Identifier: ISC */
/* Somebody who joins, while it is decided. */
#ifndef TUNLEASE_LEASED_REQUESTS_JOINING_H
#define TUNLEASE_LEASED_REQUESTS_JOINING_H

#include "lib/base/secret.h"
#include "lib/lease/lease.h"
#include "lib/lease/pubkey.h"
#include "lib/store/actor.h"
#include "lib/store/invites.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct join_result;
struct request_context;

struct joining {
    const struct request_context *ctx;
    bool wants_json, lease_only;
    struct store_actor by; /* the actor for the audit: who joins */
    const char *source;    /* the client's address */
    struct pubkey key;
    struct invite invite;           /* owned */
    char secret[SECRET_TEXT_BYTES]; /* of a private host that wants JSON; "": none is told */
    struct join_result *ret;
};

#endif
