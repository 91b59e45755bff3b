/* SPDX-License-Identifier: ISC */
/*
 * The audit chain: every change has a row, each row's hash covers the one before it. It shows that
 * rows were neither changed, dropped nor put in between; that the newest ones are all there shows
 * only against a hash kept elsewhere.
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

/* Borrowed; NULL stands for "". */
struct audit_entry {
    const char *action; /* grant, revoke, ... */
    int64_t lease_id;
    const char *lease;
    const char *fingerprint;
    const char *outcome; /* NULL: "ok" */
    const char *detail;
};

/* Within a transaction. */
enum store_rc audit_append(struct store *st, const struct store_actor *by,
                           const struct audit_entry *e);

/*
 * Deletes rows older than before_s, at most limit of them, after an anchor row that holds the hash
 * of the last one that goes. Within a transaction. *ret_pruned is 0 when there was nothing to do:
 * none of the limit oldest is that old. (So many younger ones in front of older ones takes a clock
 * that was ahead for long; they wait until its time has come.)
 */
enum store_rc audit_prune(struct store *st, const struct store_actor *by, int64_t before_s,
                          int64_t limit, int64_t *ret_pruned);

/* Who did this last to a lease, and when. STORE_NONE: the audit has no such row (any more). */
enum store_rc audit_last_of(struct store *st, int64_t lease_id, const char *action,
                            int64_t *ret_time_s, char *actor, size_t actor_bytes);

struct audit_report {
    int64_t rows;
    int64_t first_seq, last_seq;
    int64_t broken_seq; /* 0: the chain holds; else the first row that does not fit */
    unsigned char head[AUDIT_HASH_BYTES];
};

/* STORE_OK whenever it could look, whatever it found. */
enum store_rc audit_verify(struct store *st, struct audit_report *ret);

#endif
