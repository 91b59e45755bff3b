/* SPDX-License-Identifier: ISC */
/*
 * The audit chain: every change writes a row, and each row's hash covers the hash of the row
 * before. So the chain shows that no row was changed, deleted or inserted. That the newest rows are
 * all still there shows only by comparison with a hash that was stored elsewhere.
 *
 *   hash = SHA-256(previous hash, or 32 zero bytes
 *                  || for each field: its length in 8 bytes, big-endian || its bytes)
 *   fields: seq, time_s, actor, action, lease_id, lease, fingerprint, source, outcome, detail,
 *           anchor_seq; numbers as decimal text, a missing anchor_seq as the empty text.
 */
#ifndef TUNLEASE_STORE_AUDIT_H
#define TUNLEASE_STORE_AUDIT_H

#include "lib/store/actor.h"
#include "lib/store/store.h"

#include <stddef.h>
#include <stdint.h>

enum { AUDIT_HASH_BYTES = 32 };

/* Strings are borrowed; NULL means "". */
struct audit_entry {
    const char *action; /* grant, revoke, ... */
    int64_t lease_id;
    const char *lease;
    const char *fingerprint;
    const char *outcome; /* NULL means "ok" */
    const char *detail;
};

/* Call it within a transaction. */
enum store_rc audit_append(struct store *st, const struct store_actor *by,
                           const struct audit_entry *e);

/*
 * Deletes rows older than before_s, at most `limit`, after writing an anchor row that contains the
 * hash of the last deleted row. Call it within a transaction. *ret_pruned is 0 if none of the
 * `limit` oldest rows is older than before_s. (Younger rows in front of older ones mean that the
 * clock was ahead for a long time; then pruning waits until the younger ones are old enough.)
 */
enum store_rc audit_prune(struct store *st, const struct store_actor *by, int64_t before_s,
                          int64_t limit, int64_t *ret_pruned);

/* Who last did this to a lease, and when. STORE_NONE: the audit has no such row, or no longer. */
enum store_rc audit_last_of(struct store *st, int64_t lease_id, const char *action,
                            int64_t *ret_time_s, char *actor, size_t actor_bytes);

struct audit_report {
    int64_t rows;
    int64_t first_seq, last_seq;
    int64_t broken_seq; /* 0: the chain is intact; else the first row that does not match */
    unsigned char head[AUDIT_HASH_BYTES];
};

/* STORE_OK if the chain could be read, whether it is intact or not. */
enum store_rc audit_verify(struct store *st, struct audit_report *ret);

#endif
