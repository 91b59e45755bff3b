/* SPDX-License-Identifier: ISC */
/*
 * The lease that a gateway gives to whoever redeems an invite, as `join CODE --json` prints it: the
 * lease's object (docs/schema/lease.json) with "host" and "port", and for a private host a member
 * "agent", which is the answer to a register. The gateway may be hostile: each text that is kept is
 * checked, because some of them end up among ssh's arguments and in files.
 */
#ifndef TUNLEASE_WIRE_JOINED_H
#define TUNLEASE_WIRE_JOINED_H

#include "lib/lease/name.h"
#include "lib/lease/permit.h"
#include "lib/lease/pubkey.h"
#include "lib/lease/time_text.h"
#include "lib/wire/register.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    JOINED_TEXT_MAX = 131072,     /* bytes of an answer: host keys are the longest part */
    JOINED_CONNECT_BYTES = 32768, /* a line with the 1024 ports that a lease may have */
};

struct joined {
    char name[LEASE_NAME_BYTES];
    char login[LOGIN_NAME_BYTES];
    char host[PERMIT_HOST_BYTES];        /* as the gateway calls itself; "": not said */
    uint16_t port;                       /* of its sshd, likewise; 0: not said */
    struct permit_list open;             /* owned: what ssh -L may reach */
    char fingerprint[FINGERPRINT_BYTES]; /* of the key that the lease has; "": not said */
    size_t listen_count;                 /* how many addresses ssh -R may bind */
    char expires_at[TIME_TEXT_BYTES];
    char *connect; /* owned: the line for ssh, without control characters; "": not said */
    bool is_agent; /* agent is filled */
    struct register_answer agent; /* released with this */
};

/* NULL, and *ret is the caller's to release; or the problem, as the predicate of a sentence: "has
 * no valid login"; JOINED_NO_OBJECT of a text that is cut off, or no JSON at all. */
#define JOINED_NO_OBJECT "is not a JSON object"
const char *joined_parse(const char *text, size_t len, struct joined *ret);
void joined_release(struct joined *j);

#endif
