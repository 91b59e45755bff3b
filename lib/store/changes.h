/* SPDX-License-Identifier: ISC */
/*
 * Every change of a lease, between store_begin and store_commit. Each call with an actor appends an
 * audit row: the change and its row are both committed, or neither is.
 */
#ifndef TUNLEASE_STORE_CHANGES_H
#define TUNLEASE_STORE_CHANGES_H

#include "lib/store/actor.h"
#include "lib/store/conflict.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lease;
struct lease_key;

/*
 * Adds a lease with its keys and acquires the ports of its listen permits. l->id is ignored;
 * *ret_id is the new id. quarantine_s: how long a freed port is reserved for its former holder.
 */
enum store_rc store_lease_add(struct store *st, const struct lease *l, int64_t quarantine_s,
                              const struct store_actor *by, int64_t *ret_id,
                              struct store_conflict *ret_conflict);

/* The same for a lease that was a line of an authorized_keys file. Its audit row says `import`, the
 * file and the line. */
enum store_rc store_lease_import(struct store *st, const struct lease *l, const char *file,
                                 size_t line, int64_t quarantine_s, const struct store_actor *by,
                                 int64_t *ret_id, struct store_conflict *ret_conflict);

/* Writes open, listen, from, max_sessions and note of *l. Frees the ports that it no longer listens
 * on. STORE_NONE: the lease is revoked. */
enum store_rc store_lease_set(struct store *st, const struct lease *l, int64_t quarantine_s,
                              const struct store_actor *by, struct store_conflict *ret_conflict);

/* Sets a new end; an expired lease becomes active again and gets its ports back. STORE_NONE: the
 * lease is revoked, which is final. STORE_CONFLICT: another lease has one of the ports now. */
enum store_rc store_lease_renew(struct store *st, const struct lease *l, int64_t expires_s,
                                bool fixed_end, int64_t quarantine_s, const struct store_actor *by,
                                struct store_conflict *ret_conflict);

/* Acquires the ports of an expired lease that is renewed. STORE_CONFLICT: another lease has one of
 * the ports now. */
enum store_rc store_ports_reacquire(struct store *st, const struct lease *l, int64_t quarantine_s,
                                    int64_t now_s, struct store_conflict *ret_conflict);

/* Revokes, which is final: name and keys are free at once, ports are quarantined, the row stays.
 * keep_sessions: live sessions may stay until the lease would have expired. STORE_NONE: the lease
 * was already revoked or does not exist. */
enum store_rc store_lease_revoke(struct store *st, const struct lease *l, bool keep_sessions,
                                 const struct store_actor *by);

/* Deletes an expired or revoked lease and its keys. keep_ports: its ports stay quarantined for its
 * name; else they are free at once. STORE_NONE: the lease is active or does not exist. */
enum store_rc store_lease_delete(struct store *st, const struct lease *l, bool keep_ports,
                                 const struct store_actor *by);

/* STORE_CONFLICT: a lease on this login already has the key. */
enum store_rc store_key_add(struct store *st, const struct lease *l, const struct lease_key *key,
                            const struct store_actor *by, struct store_conflict *ret_conflict);
/* STORE_NONE: the lease has no such key. */
enum store_rc store_key_remove(struct store *st, const struct lease *l, const char *fingerprint,
                               const struct store_actor *by);

/* Records that a session with the lease's key was opened. No audit row. */
enum store_rc store_login_seen(struct store *st, int64_t lease_id, int64_t time_s);

#endif
