/* SPDX-License-Identifier: ISC */
/*
 * What requests ask the store about an agent, remembered: thousands a second ask the same again.
 * All of it is the store's, and holds as long as nobody else has changed that: the roster is asked
 * within a transaction that began with roster_refresh, so nobody can meanwhile. Our own changes of
 * an agent are put here, or forgotten.
 */
#ifndef TUNLEASE_LEASED_REQUESTS_ROSTER_H
#define TUNLEASE_LEASED_REQUESTS_ROSTER_H

#include "lib/base/base64.h"
#include "lib/base/secret.h"
#include "lib/lease/reissue.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ROSTER_SLOTS = 65536, ROSTER_MAX = 65536 }; /* an agent has a port */

/* What agent_facts says besides what the agent says of itself. */
struct agent_notes {
    bool by_admin;      /* added by one: it may wait for its agent as long as its lease lasts */
    bool issued;        /* its key was made here */
    uint16_t home_port; /* that it should have; 0: it has it */
    struct reissue reissue;
};

struct member {
    int64_t id;
    int64_t expires_s;       /* as the agent was told */
    int64_t lease_expires_s; /* as its lease says, which may be behind (leased/requests/beats.h) */
    int64_t token_id;        /* what admitted it; 0: an enrolment key, or an admin */
    uint16_t port;
    struct agent_notes notes;
    bool is_agent; /* false: the name is that of a lease an admin granted */
    bool revoked;
    bool fixed_end, has_secret, secret_used;
    bool has_notes; /* these and the fingerprint are known once they were asked for */
    uint8_t secret_hash[SECRET_HASH_BYTES];
    char fingerprint[FINGERPRINT_BYTES]; /* of one of its keys; "" */
};

struct roster_entry;

struct roster {
    struct roster_entry **slots;
    size_t count;
    uint64_t seed, epoch;
    int64_t version; /* of the store */
};

int roster_init(struct roster *r); /* 0, or -1: no memory */
void roster_release(struct roster *r);

/* At the begin of each transaction: whether anybody else has changed the store since the last. */
enum store_rc roster_refresh(struct roster *r, struct store *st);

/* By agent_id: the live one, else the newest. STORE_NONE: there never was one. */
enum store_rc roster_find(struct roster *r, struct store *st, const char *name, struct member *ret);

/* After a change of our own to a live agent. */
void roster_put(struct roster *r, const char *name, const struct member *m);
void roster_forget(struct roster *r, const char *name);

/* All is asked anew: a transaction was undone, or leases were deleted. */
void roster_invalidate(struct roster *r);

#endif
