/* SPDX-License-Identifier: ISC */
/* Reads the active leases in short, for a view of them that is read again and again: one pass over
 * the table, without their keys. The texts are those of the store, and not checked. */
#ifndef TUNLEASE_STORE_BRIEFS_H
#define TUNLEASE_STORE_BRIEFS_H

#include "lib/lease/lease.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

enum { LEASE_BRIEF_TEXT_BYTES = 128 };

struct lease_brief {
    int64_t id, expires_s, last_login_s; /* last_login_s 0: never */
    bool is_agent;
    char name[LEASE_NAME_BYTES];
    char login[LOGIN_NAME_BYTES];
    char open[LEASE_BRIEF_TEXT_BYTES]; /* permits as lib/lease writes lists; a long text is cut */
    char listen[LEASE_BRIEF_TEXT_BYTES];
    char note[LEASE_BRIEF_TEXT_BYTES]; /* likewise */
};

/* Calls fn for each lease that is active at now_s, in the order of their numbers; if fn returns
 * non-zero, that ends it: STORE_FAIL. */
typedef int (*store_brief_fn)(void *ctx, const struct lease_brief *b);
enum store_rc store_briefs(struct store *st, int64_t now_s, store_brief_fn fn, void *ctx);

#endif
