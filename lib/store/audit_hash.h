/* SPDX-License-Identifier: ISC */
/*
 * The audit chain: each row's hash covers the hash of the row before. So the chain shows that no
 * row was changed, deleted or inserted. That the newest rows are all still there shows only by
 * comparison with a hash that was stored elsewhere.
 *
 *   hash = SHA-256(previous hash, or 32 zero bytes
 *                  || for each field: its length in 8 bytes, big-endian || its bytes)
 *   fields: seq, time_s, actor, action, lease_id, lease, fingerprint, source, outcome, detail,
 *           anchor_seq; numbers as decimal text, a missing anchor_seq as the empty text.
 */
#ifndef TUNLEASE_STORE_AUDIT_HASH_H
#define TUNLEASE_STORE_AUDIT_HASH_H

enum { AUDIT_HASH_BYTES = 32 };

#endif
