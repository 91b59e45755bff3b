/* SPDX-License-Identifier: ISC */
/* Sessions that are in the registry, but whose processes leased cannot see: they are not ended. */
#ifndef TUNLEASE_LEASED_WATCH_UNSEEN_H
#define TUNLEASE_LEASED_WATCH_UNSEEN_H

#include "lib/session/session_list.h"
#include "lib/store/session_verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

struct unseen {
    bool may_be_any;       /* there are some, or /proc shows no process of other users at all */
    size_t count, overdue; /* overdue: how many of them would be ended */
    int why;               /* errno, for session_unseen_reason */
    char leases[256];      /* names of the leases of overdue sessions */
    int64_t logged_ms;
};

/* Notes the unseen sessions of the last sweep. list is sorted by lease; verdicts[i] belongs to
 * list->items[i]. Logs the first time, when another lease is overdue, and each minute. */
void unseen_note(struct unseen *u, const struct session_list *list,
                 const enum session_verdict verdicts[]);

/* Adds one line for people: how many cannot be seen, why, and which are overdue. */
void unseen_format(const struct unseen *u, struct buf *out);

#endif
