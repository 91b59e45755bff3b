/* SPDX-License-Identifier: ISC */
/*
 * The kill ladder: ends one sshd connection on every sshd there is (docs/sshd-facts.md 3).
 *
 * SIGTERM to the monitor, which passes it on and runs close_session. If the child is still there
 * after LADDER_PATIENCE_MS, SIGKILL to the child. Never to a monitor that has a child: the child
 * would go on as an orphan, with the port bound and data flowing.
 *
 * A process is named by pid and start, and held by a pidfd (pidfd_open(2)) before anything is sent:
 * a pid that was given to another process meanwhile is never signalled.
 */
#ifndef TUNLEASE_SESSION_LADDER_H
#define TUNLEASE_SESSION_LADDER_H

#include "lib/session/session_list.h"

enum { LADDER_PATIENCE_MS = 300, LADDER_CHILDREN_MAX = 4 };

enum ladder_state {
    LADDER_IN_PROGRESS, /* signalled, and still there */
    LADDER_GONE,        /* nothing of it holds a socket any more */
    LADDER_FAILED,      /* it may not be signalled, or its processes cannot be told: ladder.why */
    LADDER_NO_ROOM, /* the same, for lack of descriptors or memory: with fewer at a time it may do
                     */
};

struct ladder {
    enum ladder_state state;
    pid_t pid; /* of the monitor */
    uint64_t start_ticks;
    uid_t uid;
    int monitor_fd; /* pidfd; -1 when it is gone */
    int child_fds[LADDER_CHILDREN_MAX];
    size_t child_count;
    bool had_child; /* once seen, its end is the session's */
    bool killed;    /* SIGKILL was sent to the children */
    int64_t since_ms;
    int why; /* errno, with LADDER_FAILED and LADDER_NO_ROOM */
};

/*
 * Takes hold of the session's processes and sends the first signal. Does not wait. Nothing is
 * signalled when not all of it can be held, or s is SESSION_UNSEEN.
 */
enum ladder_state ladder_start(struct ladder *l, const struct session *s, int64_t now_ms);

/* Looks again, and goes on to the next step when it is time. Does not wait. */
enum ladder_state ladder_step(struct ladder *l, int64_t now_ms);

/* Closes its descriptors. */
void ladder_release(struct ladder *l);

/*
 * Ends all sessions in the list, side by side as far as there are descriptors (two a session), and
 * waits until deadline_ms (clock_monotonic_ms) at most. states[i] says what became of each, and
 * LADDER_IN_PROGRESS that it was still up; returns how many are not gone. Needs memory for the
 * ladders: SIZE_MAX when there is none, nothing signalled.
 */
size_t ladder_end_all(const struct session_list *list, int64_t deadline_ms,
                      enum ladder_state states[]);

#endif
