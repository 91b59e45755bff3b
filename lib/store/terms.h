/* SPDX-License-Identifier: ISC */
/* Inside lib/store: the columns of a lease that both grant and set write. */
#ifndef TUNLEASE_STORE_TERMS_H
#define TUNLEASE_STORE_TERMS_H

#include "lib/base/buf.h"
#include "lib/store/statement.h"

struct lease;

/* The bound texts: they must live until the statement was stepped. */
struct terms {
    struct buf open, listen, sources;
};

enum store_rc bind_terms(struct store *st, sqlite3_stmt *s, const struct lease *l, struct terms *t);
void release_terms(struct terms *t);

/* Writes what was granted, as the audit row records it. */
void describe_terms(const struct lease *l, struct buf *out);

#endif
