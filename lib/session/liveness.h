/* SPDX-License-Identifier: ISC */
/* Whether a registered session is alive: by its monitor, or by a child that outlived it. */
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
    LIVENESS_LEADERLESS, /* its monitor is gone, its process group is not: a scan tells */
};

/* Judges a session by its monitor and the process group of that. With LIVENESS_UNSEEN, s becomes
 * SESSION_UNSEEN. */
enum liveness liveness_judge(const struct origin *here, struct session *s);

/*
 * Whether p is a child that outlived the monitor of a session: it is in the monitor's session
 * (setsid(2)), and runs as the login, or still as root because it was born as the monitor died.
 */
bool liveness_is_orphan(const struct process *p, pid_t monitor, uint64_t monitor_start_ticks,
                        uid_t login);

enum { ORPHAN_SOUGHT = -1 }; /* in session.orphan, until the scan */

/*
 * Scans /proc for the orphans that are sought in list, which is sorted by pid, and sets
 * session.orphan to those it finds. A session that is ORPHAN_SOUGHT afterwards has none, and is
 * dead. If that cannot be told, or not by deadline_ms (clock_monotonic_ms), the session becomes
 * SESSION_UNSEEN. Returns 0, or -1 with errno.
 */
int liveness_find_orphans(struct session_list *list, int64_t deadline_ms);

#endif
