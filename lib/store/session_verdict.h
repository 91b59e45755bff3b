/* SPDX-License-Identifier: ISC */
/* Which live sessions may stay. leasectl asks after a change, leased all the time. */
#ifndef TUNLEASE_STORE_SESSION_VERDICT_H
#define TUNLEASE_STORE_SESSION_VERDICT_H

#include "lib/store/store.h"

#include <stdint.h>

struct session_list;

/* Whether a session may stay: it may not when akc would now refuse its key from its address, or
 * permit it less than at its login (leasectl(1)). */
enum session_verdict {
    SESSION_ALLOWED,
    SESSION_DELETED,
    SESSION_REVOKED,
    SESSION_EXPIRED,
    SESSION_FROZEN,
    SESSION_KEY_REMOVED,
    SESSION_FROM,       /* from an address that the lease no longer names */
    SESSION_NARROWED,   /* it holds a permit that the lease no longer has */
    SESSION_OVER_LIMIT, /* of max_sessions: the newest go first */
    SESSION_NOT_JUDGED, /* its lease cannot be read */
    SESSION_VERDICT__MAX
};
const char *session_verdict_name(enum session_verdict verdict); /* allowed, deleted, revoked, ... */

/*
 * Judges each of the list, which is sorted by lease and age for it: verdicts[i] is of
 * list->items[i] then. One that is still opening is judged by its key. *ret_next_s (may be NULL):
 * the first end to come of those that may stay, INT64_MAX where none ends. Not STORE_OK: nothing
 * was judged.
 */
enum store_rc store_judge_sessions(struct store *st, struct session_list *list, int64_t now_s,
                                   enum session_verdict verdicts[], int64_t *ret_next_s);

#endif
