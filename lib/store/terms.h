/* SPDX-License-Identifier: ISC */
/* Inside lib/store: the columns of a lease that grant and set have in common. */
#ifndef TUNLEASE_STORE_TERMS_H
#define TUNLEASE_STORE_TERMS_H

#include "lib/base/buf.h"
#include "lib/store/statement.h"

struct lease;

/* What they are bound to: it must outlive the step. */
struct terms {
    struct buf open, listen, sources;
};

enum store_rc bind_terms(struct store *st, sqlite3_stmt *s, const struct lease *l, struct terms *t);
void release_terms(struct terms *t);

/* What was granted, as the audit keeps it. */
void describe_terms(const struct lease *l, struct buf *out);

#endif
