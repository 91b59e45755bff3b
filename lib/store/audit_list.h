/* SPDX-License-Identifier: ISC */
/* Reads rows of the audit (lib/store/audit.h). */
#ifndef TUNLEASE_STORE_AUDIT_LIST_H
#define TUNLEASE_STORE_AUDIT_LIST_H

#include "lib/store/audit_hash.h"
#include "lib/store/store.h"

#include <stdint.h>

/* Strings are borrowed, valid for one call, and may hold anything: escape them. */
struct audit_record {
    int64_t seq, time_s;
    int64_t lease_id;   /* 0: none */
    int64_t anchor_seq; /* 0: not an anchor */
    const char *actor, *action, *lease, *fingerprint, *source, *outcome, *detail;
    const unsigned char *hash; /* NULL: the row has no whole one */
};

/* Which rows: all conditions hold. */
struct audit_filter {
    int64_t after_seq; /* only rows behind this one */
    int64_t limit;     /* the first so many of them; 0: all */
    int64_t since_s;   /* INT64_MIN: of any time */
    const char *lease; /* the name that the lease had; NULL: any */
    int64_t lease_id;  /* 0: any */
};

/*
 * Calls fn for each row, oldest first, in one snapshot, and holds one row at a time. fn must not
 * wait: as long as a snapshot is read the store's log grows. fn returns 0 to go on; anything else
 * ends the call, which then returns STORE_OK.
 */
typedef int (*audit_record_fn)(void *ctx, const struct audit_record *r);
enum store_rc audit_list(struct store *st, const struct audit_filter *filter, audit_record_fn fn,
                         void *ctx);

/* The same for the newest rows, newest first: without the first offset ones, at most limit. */
enum store_rc audit_list_newest(struct store *st, int64_t offset, int64_t limit, audit_record_fn fn,
                                void *ctx);

#endif
