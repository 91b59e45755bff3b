/* SPDX-License-Identifier: ISC */
/* Inside lib/store: a whole row of the audit, and its hash as lib/store/audit_hash.h defines it. */
#ifndef TUNLEASE_STORE_AUDIT_ROW_H
#define TUNLEASE_STORE_AUDIT_ROW_H

#include "lib/store/audit_hash.h"
#include "lib/store/handle.h"

#include <stdbool.h>
#include <stdint.h>

/* What a hash covers. Strings are borrowed. */
struct audit_row {
    int64_t seq, time_s, lease_id;
    int64_t anchor_seq; /* 0: not an anchor */
    const char *actor, *action, *lease, *fingerprint, *source, *outcome, *detail;
};

/* The hash of a row that follows one with the hash `previous`. */
void audit_row_hash(const uint8_t previous[static AUDIT_HASH_BYTES], const struct audit_row *row,
                    uint8_t ret[static AUDIT_HASH_BYTES]);

/* The row at which s is, a statement with the part audit_columns: valid until s moves on. */
struct audit_row audit_row_at(sqlite3_stmt *s);

/* Its stored hash; NULL: it is no whole hash. */
const uint8_t *audit_row_stored_hash(sqlite3_stmt *s);

/* True if it holds what its hash does not cover: text behind a NUL, or an anchor_seq of 0 in place
 * of NULL. */
bool audit_row_has_unhashed(sqlite3_stmt *s);

#endif
