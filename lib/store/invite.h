/* SPDX-License-Identifier: ISC */
/* An invite, as the store keeps it: the terms of a lease that somebody will join. */
#ifndef TUNLEASE_STORE_INVITE_H
#define TUNLEASE_STORE_INVITE_H

#include "lib/lease/lease.h"

#include <stdbool.h>
#include <stdint.h>

struct invite {
    int64_t id;
    bool is_agent; /* it admits a private host */
    bool replaces; /* the private host takes the place of the agent that has the name */
    /*
     * The lease to be: name, login, open (with the current ports of open_agents), listen, from,
     * max_sessions, note, expires_s, fixed_end. No key. Of a private host name, login, listen, note
     * and the end: where listen is empty, the gateway chooses the port, or the replaced agent's
     * stays.
     */
    struct lease terms;
    int64_t ttl_s; /* the lease ends so long after joining; 0: at terms.expires_s */
    int64_t created_s;
    int64_t expires_s; /* when the invite itself is over; of a spent one, when that was */
    bool is_open;      /* nobody has spent it; whether it is over is expires_s */
    /* Of a spent one; else 0 and "". */
    int64_t spent_s, lease_id;
    char fingerprint[FINGERPRINT_BYTES]; /* of the key that spent it */
};

void invite_release(struct invite *i); /* i may be zeroed; leaves it zeroed */

#endif
