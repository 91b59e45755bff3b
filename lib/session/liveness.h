/* SPDX-License-Identifier: ISC */
/* Whether a session of the registry is there: by its monitor, or by a child that outlived it. */
#ifndef TUNLEASE_SESSION_LIVENESS_H
#define TUNLEASE_SESSION_LIVENESS_H

#include "lib/session/origin.h"
#include "lib/session/session_list.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct process;

enum liveness {
    LIVENESS_LIVE,
    LIVENESS_DEAD,
    LIVENESS_UNSEEN,
    LIVENESS_LEADERLESS, /* its monitor is gone, and its process group is not: a walk will tell */
};

/* Whether the session is there, by its monitor or a child that is left of it. s becomes
 * SESSION_UNSEEN with LIVENESS_UNSEEN. */
enum liveness liveness_judge(const struct origin *here, struct session *s);

/*
 * Whether p outlived the monitor of a session: it is in the monitor's session (setsid(2)), and runs
 * as the login or as root, which a child still is that was born as the monitor died.
 */
bool liveness_is_orphan(const struct process *p, pid_t monitor, uint64_t monitor_start_ticks,
                        uid_t login);

enum { ORPHAN_SOUGHT = -1 }; /* in session.orphan, until the walk */

/*
 * Walks through all processes for the orphans that are sought in list, which is sorted by pid. What
 * still is ORPHAN_SOUGHT has none, and is dead; of which it cannot be told, or not by deadline_ms
 * (clock_monotonic_ms), is SESSION_UNSEEN. 0, or -1 with errno set.
 */
int liveness_find_orphans(struct session_list *list, int64_t deadline_ms);

#endif
