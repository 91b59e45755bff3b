/* SPDX-License-Identifier: ISC */
/*
 * The audit: every change writes a row, in its own transaction. The rows are a chain
 * (lib/store/audit_hash.h): lib/store/audit_verify.h recomputes it.
 */
#ifndef TUNLEASE_STORE_AUDIT_H
#define TUNLEASE_STORE_AUDIT_H

#include "lib/store/actor.h"
#include "lib/store/audit_hash.h"
#include "lib/store/store.h"

#include <stddef.h>
#include <stdint.h>

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

/* The newest row: what is kept elsewhere, so that a cut of the newest rows shows. */
struct audit_head {
    int64_t seq;                          /* 0: the audit is empty */
    int64_t time_s;                       /* when the row was written */
    unsigned char hash[AUDIT_HASH_BYTES]; /* zeros: the audit is empty */
};

/* STORE_FAIL also where the newest row has no whole hash. */
enum store_rc audit_head(struct store *st, struct audit_head *ret);

#endif
