/* SPDX-License-Identifier: ISC */
/*
 * The kill ladder: ends one sshd connection on every sshd there is (docs/sshd-facts.md 3).
 *
 * First SIGTERM to the monitor, which passes it on to its child and runs close_session, and to the
 * child as well, whose port is then free at once where a thousand end. If the child is still there
 * after LADDER_PATIENCE_MS, SIGKILL to the child. A monitor that has a child is never sent SIGKILL:
 * the child would go on as an orphan, with the port bound and data flowing.
 *
 * A process is found by pid and start, and a pidfd (pidfd_open(2)) refers to it before anything is
 * sent. So a process that was given the same pid meanwhile is never signalled.
 */
#ifndef TUNLEASE_SESSION_LADDER_H
#define TUNLEASE_SESSION_LADDER_H

#include "lib/session/session_list.h"

enum { LADDER_PATIENCE_MS = 300, LADDER_CHILDREN_MAX = 4 };

enum ladder_state {
    LADDER_IN_PROGRESS, /* signalled, and still there */
    LADDER_GONE,        /* no child of it is left, and so no forward */
    LADDER_FAILED,      /* it may not be signalled, or its processes cannot be seen: ladder.why */
    LADDER_NO_ROOM, /* the same for lack of descriptors or memory: may work with fewer at a time */
};

struct ladder {
    enum ladder_state state;
    pid_t pid; /* of the monitor */
    uint64_t start_ticks;
    uid_t uid;
    int monitor_fd; /* pidfd; -1 when it is gone */
    int child_fds[LADDER_CHILDREN_MAX];
    size_t child_count;
    bool has_begun; /* the first signal was sent */
    bool had_child; /* a child was seen: when it has ended, so has the session */
    bool killed;    /* SIGKILL was sent to the children */
    int64_t since_ms;
    int why; /* errno, with LADDER_FAILED and LADDER_NO_ROOM */
};

/*
 * Opens the processes of the session; the first step signals them. Does not wait. Who ends many
 * opens all of them first: those that have been signalled take the processors for their end, and
 * the last one would be signalled seconds later. Fails if not all of the processes can be opened,
 * or if s is SESSION_UNSEEN.
 */
enum ladder_state ladder_open(struct ladder *l, const struct session *s, int64_t now_ms);

/* Opens them, and takes the first step. */
enum ladder_state ladder_start(struct ladder *l, const struct session *s, int64_t now_ms);

/* Sends the first signal, or checks again and takes the next step if it is due. Does not wait. */
enum ladder_state ladder_step(struct ladder *l, int64_t now_ms);

/* Closes its descriptors. */
void ladder_release(struct ladder *l);

/*
 * Ends all sessions of the list, as many at a time as there are descriptors for (two a session),
 * and waits until deadline_ms (clock_monotonic_ms) at most. states[i] says what became of each;
 * LADDER_IN_PROGRESS: it was still up. Returns how many are not gone; SIZE_MAX if there is no
 * memory for the ladders, and then nothing is signalled.
 */
size_t ladder_end_all(const struct session_list *list, int64_t deadline_ms,
                      enum ladder_state states[]);

#endif
