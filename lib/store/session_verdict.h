/* SPDX-License-Identifier: ISC */
/* Judges which live sessions may stay. leasectl asks after a change, leased all the time. */
#ifndef TUNLEASE_STORE_SESSION_VERDICT_H
#define TUNLEASE_STORE_SESSION_VERDICT_H

#include "lib/store/store.h"

#include <stdint.h>

struct session_list;

/* A session may not stay if akc would now refuse its key from its address, or would permit less
 * than at its login (leasectl(1)). */
enum session_verdict {
    SESSION_ALLOWED,
    SESSION_DELETED,
    SESSION_REVOKED,
    SESSION_EXPIRED,
    SESSION_FROZEN,
    SESSION_KEY_REMOVED,
    SESSION_FROM,       /* the lease no longer allows the client's address */
    SESSION_NARROWED,   /* the lease no longer grants one of its permits */
    SESSION_OVER_LIMIT, /* more than max_sessions: the newest are ended first */
    SESSION_NOT_JUDGED, /* the lease cannot be read */
    SESSION_VERDICT__MAX
};
const char *session_verdict_name(enum session_verdict verdict); /* allowed, deleted, revoked, ... */

/*
 * Judges each session of the list. Sorts the list by lease and age; then verdicts[i] belongs to
 * list->items[i]. A session that is still opening is judged by its key. *ret_next_s (may be NULL):
 * the next end of a lease among the sessions that may stay; INT64_MAX: none. If it does not return
 * STORE_OK, verdicts is not valid.
 */
enum store_rc store_judge_sessions(struct store *st, struct session_list *list, int64_t now_s,
                                   enum session_verdict verdicts[], int64_t *ret_next_s);

#endif
