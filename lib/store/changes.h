/* SPDX-License-Identifier: ISC */
/* Inside lib/store: what grants and agents have in common when they change. */
#ifndef TUNLEASE_STORE_CHANGES_H
#define TUNLEASE_STORE_CHANGES_H

#include "lib/store/statement.h"

/* store_lease_add, for a lease of any kind. */
enum store_rc add_lease(struct store *st, const char *kind, const struct lease *l,
                        int64_t quarantine_s, const struct store_actor *by, int64_t *ret_id,
                        struct store_conflict *ret_conflict);

/* The audit row of a change. */
enum store_rc note_change(struct store *st, const struct store_actor *by, const char *action,
                          int64_t id, const struct lease *l, const char *fingerprint,
                          const char *detail);

#endif
