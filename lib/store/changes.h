/* SPDX-License-Identifier: ISC */
/*
 * Every change of a lease, within store_begin and store_commit. Each that has an actor appends its
 * audit row: the change and its row are there together or not at all.
 */
#ifndef TUNLEASE_STORE_CHANGES_H
#define TUNLEASE_STORE_CHANGES_H

#include "lib/store/actor.h"
#include "lib/store/conflict.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct lease;
struct lease_key;

/*
 * Adds a lease with its keys and takes the ports of its listen permits. l->id is not read; the new
 * one is in *ret_id. quarantine_s: how long a freed port stays its former holder's.
 */
enum store_rc store_lease_add(struct store *st, const struct lease *l, int64_t quarantine_s,
                              const struct store_actor *by, int64_t *ret_id,
                              struct store_conflict *ret_conflict);

/* Writes open, listen, from, max_sessions and note of *l; what it no longer listens on is freed.
 * STORE_NONE: it is revoked. */
enum store_rc store_lease_set(struct store *st, const struct lease *l, int64_t quarantine_s,
                              const struct store_actor *by, struct store_conflict *ret_conflict);

/* A new end; an expired lease comes back, with its ports. STORE_NONE: it is revoked, which is
 * final. STORE_CONFLICT: a port is another's by now. */
enum store_rc store_lease_renew(struct store *st, const struct lease *l, int64_t expires_s,
                                bool fixed_end, int64_t quarantine_s, const struct store_actor *by,
                                struct store_conflict *ret_conflict);

/* The ports of an expired lease that comes back are its own again. STORE_CONFLICT: as above. */
enum store_rc store_ports_reacquire(struct store *st, const struct lease *l, int64_t quarantine_s,
                                    int64_t now_s, struct store_conflict *ret_conflict);

/* Final: name and keys are free at once, ports are quarantined, the row stays. STORE_NONE: it was
 * not live. keep_sessions: what is live may stay until the lease would have expired. */
enum store_rc store_lease_revoke(struct store *st, const struct lease *l, bool keep_sessions,
                                 const struct store_actor *by);

/* Forgets an expired or revoked lease and its keys. keep_ports: its ports stay quarantined for its
 * name; else they are free at once. STORE_NONE: it is active, or gone. */
enum store_rc store_lease_delete(struct store *st, const struct lease *l, bool keep_ports,
                                 const struct store_actor *by);

/* STORE_CONFLICT: the key holds a lease on this login already. */
enum store_rc store_key_add(struct store *st, const struct lease *l, const struct lease_key *key,
                            const struct store_actor *by, struct store_conflict *ret_conflict);
/* STORE_NONE: the lease has no such key. */
enum store_rc store_key_remove(struct store *st, const struct lease *l, const char *fingerprint,
                               const struct store_actor *by);

/* A session with the lease's key was opened. No audit row. */
enum store_rc store_login_seen(struct store *st, int64_t lease_id, int64_t time_s);

#endif
