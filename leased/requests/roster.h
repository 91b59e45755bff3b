/* SPDX-License-Identifier: ISC */
/*
 * A cache of what requests read of agents in the store: thousands of requests a second read the
 * same. Everything in it is the store's, and is valid as long as nobody else has changed the store:
 * it is read within a transaction that began with roster_refresh, so nobody can meanwhile. Our own
 * changes of an agent are put here, or the agent is forgotten.
 */
#ifndef TUNLEASE_LEASED_REQUESTS_ROSTER_H
#define TUNLEASE_LEASED_REQUESTS_ROSTER_H

#include "lib/base/base64.h"
#include "lib/base/secret.h"
#include "lib/lease/agent_copies.h"
#include "lib/lease/agent_counter.h"
#include "lib/lease/reissue.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ROSTER_SLOTS = 65536, ROSTER_MAX = 65536 }; /* each agent has a port */

/* What leased noted in an agent's facts. */
struct agent_notes {
    bool by_admin;      /* added by an admin: it may stay pending as long as its lease lasts */
    bool issued;        /* leased made its key */
    uint16_t home_port; /* port that it should have; 0: it has that */
    struct reissue reissue;
};

struct member {
    int64_t id;
    int64_t expires_s;       /* as the agent was told */
    int64_t lease_expires_s; /* as its lease says, which may be behind (leased/requests/beats.h) */
    int64_t heartbeat_ms;    /* when it was accepted last; pending heartbeats may be newer */
    struct agent_counter counter; /* the last accepted one, likewise */
    int64_t token_id;             /* that admitted it; 0: an enrolment key, or an admin */
    uint16_t port;
    struct agent_notes notes;
    bool is_agent; /* false: a lease of this name was granted by an admin */
    bool revoked;
    bool fixed_end, has_secret, secret_used;
    bool is_frozen; /* since a copy of it was seen */
    bool has_notes; /* notes and fingerprint have been read */
    uint8_t secret_hash[SECRET_HASH_BYTES];
    char fingerprint[FINGERPRINT_BYTES];  /* of one of its keys; "": not read */
    char last_from[COPIES_ADDRESS_BYTES]; /* of the last accepted request; "": not known */
};

struct roster_entry;

struct roster {
    struct roster_entry **slots;
    size_t count;
    uint64_t seed, epoch;
    int64_t version; /* of the store, when it was last read */
};

int roster_init(struct roster *r); /* 0, or -1: no memory */
void roster_release(struct roster *r);

/* Call at the begin of each transaction: invalidates the roster if anybody else has changed the
 * store. */
enum store_rc roster_refresh(struct roster *r, struct store *st);

/* Finds an agent by its agent_id: the live one, else the newest. STORE_NONE: there never was one.
 */
enum store_rc roster_find(struct roster *r, struct store *st, const char *name, struct member *ret);

/* Call after our own change of a live agent. */
void roster_put(struct roster *r, const char *name, const struct member *m);
void roster_forget(struct roster *r, const char *name);

/* Call after a transaction was rolled back, or leases were deleted: all is read again. */
void roster_invalidate(struct roster *r);

#endif
