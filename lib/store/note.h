/* SPDX-License-Identifier: ISC */
/* Writes the audit row of a change, or of an event that changes nothing. */
#ifndef TUNLEASE_STORE_NOTE_H
#define TUNLEASE_STORE_NOTE_H

#include "lib/store/actor.h"
#include "lib/store/store.h"

#include <stdint.h>

struct lease;

/* An event that no change records, such as a tunnel that was opened. */
enum store_rc store_note(struct store *st, const struct store_actor *by, const char *action,
                         int64_t lease_id, const char *lease, const char *detail);

/* ---- inside lib/store ---- */

/* The audit row of a change. fingerprint NULL: use that of the lease's first key. */
enum store_rc note_change(struct store *st, const struct store_actor *by, const char *action,
                          int64_t id, const struct lease *l, const char *fingerprint,
                          const char *detail);

#endif
