/* SPDX-License-Identifier: ISC */
/*
 * Recomputes the audit chain (lib/store/audit_hash.h), and says of the first row that does not
 * match what is wrong with it.
 *
 * What it can find: a row that was changed, removed, put in or moved by somebody who did not write
 * every later row anew. What it cannot find alone: that the newest rows were cut off, or that all
 * rows from some row on were written anew. Both show only by comparison with a head that was kept
 * elsewhere: at_seq, at_hash.
 */
#ifndef TUNLEASE_STORE_AUDIT_VERIFY_H
#define TUNLEASE_STORE_AUDIT_VERIFY_H

#include "lib/store/audit_hash.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

/* What is wrong with row broken_seq. */
enum audit_fault {
    AUDIT_INTACT,
    AUDIT_CHANGED,  /* it is not what was written, or does not follow the row before it */
    AUDIT_MISSING,  /* the rows from other_seq up to it are gone; other_seq 0: rows before it are,
                       and the later ones were numbered anew */
    AUDIT_INSERTED, /* it was put in */
    AUDIT_MOVED,    /* it was written as row other_seq */
    AUDIT_ANCHOR,   /* it does not follow the anchor in row other_seq, which was changed */
};

struct audit_report {
    int64_t rows;                /* up to the broken one, or all */
    int64_t first_seq, last_seq; /* of these */
    int64_t broken_seq; /* 0: the chain is intact; else the first row that does not match */
    enum audit_fault fault;
    int64_t other_seq;
    unsigned char head[AUDIT_HASH_BYTES]; /* of the last row that matched; zeros: there is none */
    int64_t head_time_s;                  /* when that row was written; 0: there is none */
    bool at_found; /* the hash of row at_seq is known: it is there and matches, or an anchor names
                      it as the last row that was deleted */
    unsigned char at_hash[AUDIT_HASH_BYTES];
};

struct audit_inquiry {
    int64_t at_seq; /* the row whose hash is wanted, too; 0: none */
    /* Called now and then with the number of rows that were read; NULL: not. */
    void (*progress)(void *arg, int64_t rows);
    void *arg;
};

/*
 * Reads all rows in one snapshot, one after the other: some seconds for a million, and a few KiB of
 * memory. STORE_OK if they could be read, whether the chain is intact or not; else *ret is not
 * written.
 */
enum store_rc audit_verify(struct store *st, struct audit_report *ret);
enum store_rc audit_verify_at(struct store *st, const struct audit_inquiry *q,
                              struct audit_report *ret);

#endif
