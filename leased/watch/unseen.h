/* SPDX-License-Identifier: ISC */
/* Sessions that are in the registry and cannot be seen: they are not ended. */
#ifndef TUNLEASE_LEASED_WATCH_UNSEEN_H
#define TUNLEASE_LEASED_WATCH_UNSEEN_H

#include "lib/session/session_list.h"
#include "lib/store/session_verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

struct unseen {
    bool may_be_any;       /* there are some, or /proc shows no process of others at all */
    size_t count, overdue; /* overdue: of those, how many would be ended */
    int why;               /* session_unseen_reason */
    char leases[256];      /* the names of those that are over */
    int64_t logged_ms;
};

/* Takes what the last look found, verdicts[i] being of list->items[i], sorted by lease; and logs
 * it the first time, when one more lease is over, and each minute. */
void unseen_note(struct unseen *u, const struct session_list *list,
                 const enum session_verdict verdicts[]);

/* What cannot be seen, and what that keeps up, as a line for people. */
void unseen_format(const struct unseen *u, struct buf *out);

#endif
