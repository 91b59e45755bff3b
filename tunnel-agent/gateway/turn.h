/* SPDX-License-Identifier: ISC */
/*
 * What finds out copies of this agent (docs/protocol.md 4.5): the counter that the gateway named
 * last, and the nonce of the request that is under way. The file `turn` of the state directory has
 * both. It is on disk before a request is sent, so that a request after a crash or a lost answer
 * repeats them. A gateway that names no counter is sent none.
 */
#ifndef TUNLEASE_AGENT_GATEWAY_TURN_H
#define TUNLEASE_AGENT_GATEWAY_TURN_H

#include "lib/lease/agent_counter.h"
#include "tunnel-agent/tunnel/backoff.h"

#include <stdbool.h>
#include <stdint.h>

struct settings;
struct statedir;

enum { TURN_COPIED_MAX_MS = 300000 /* an admin's reset is valid for twice as long */ };

struct turn {
    const struct statedir *state;
    struct agent_counter next; /* its number 0: no gateway has named one */
    bool has_nonce;            /* next.nonce is on disk, and may have been sent */
    bool is_copied;            /* the gateway says that another host has our state */
    struct backoff backoff;    /* while it says so */
};

/* state must outlive *t. A file that cannot be read counts as none. */
void turn_read(struct turn *t, const struct statedir *state);

/* Call before each request, which then sends t->next. 0, or -1 with errno: it is not on disk, and
 * nothing may be sent. */
int turn_begin(struct turn *t);

/* An answer that accepts, with its counter; 0: it names none. A counter that is not above the one
 * that was sent is not believed: whoever holds the control port while leased is down could make us
 * a copy of ourselves. */
void turn_accepted(struct turn *t, int64_t counter);

/* An answer `copied`: how long to wait before the next request. */
int64_t turn_refused(struct turn *t, const struct settings *s);

#endif
