/* SPDX-License-Identifier: ISC */
/*
 * Processes as /proc shows them (proc(5)). A pid alone identifies no process, since it is reused. A
 * pid with the clock tick at which the process started identifies one until the next boot.
 *
 * /proc may hide processes (hidepid=, which answers ENOENT or EPERM for those of other users), and
 * reading it may fail for lack of descriptors or memory. A process is gone only if the kernel
 * answers ESRCH, for example to kill(2), which does not depend on what /proc shows.
 */
#ifndef TUNLEASE_SESSION_PROCESS_H
#define TUNLEASE_SESSION_PROCESS_H

#include "lib/session/sight.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { PROCESS_NAME_BYTES = 16 }; /* TASK_COMM_LEN */

struct process {
    pid_t pid;
    pid_t parent;
    pid_t session; /* setsid(2): sshd's monitor leads one, and its child stays in it */
    uid_t uid;     /* real user id; gid is the real group id */
    gid_t gid;
    uint64_t start_ticks;
    char state;                    /* R, S, T, Z, X, ... */
    char name[PROCESS_NAME_BYTES]; /* its program's, or what it calls itself: prctl(PR_SET_NAME) */
};

/* True for a zombie (Z), and for a process that is being reaped (X). */
static inline bool process_has_ended(const struct process *p)
{
    return p->state == 'Z' || p->state == 'X';
}

/* Whether any process has this pid, zombies included. Asks the kernel by kill(2), not /proc. */
enum sight process_answers(pid_t pid);

/* Whether any process is in the process group of leader, which itself need not live any more. */
enum sight process_group_answers(pid_t leader);

/* Sets *ret only with SIGHT_IS. A zombie is a process, too. */
enum sight process_read(pid_t pid, struct process *ret);

/* The same without uid and gid, at half the cost. */
enum sight process_read_stat(pid_t pid, struct process *ret);

/* Whether the process with this pid and start exists and is no zombie. */
enum sight process_is(pid_t pid, uint64_t start_ticks);

/*
 * Calls fn for every process until fn returns true. SIGHT_IS: it did. SIGHT_IS_NOT: it did for
 * none, and all processes were seen. SIGHT_CANNOT_TELL: it did for none, and some processes may not
 * have been seen, so nothing may be concluded about them. A caller that knows of a process that
 * answers must itself check that fn has seen it.
 */
typedef bool (*process_fn)(void *ctx, const struct process *p);
enum sight process_each(process_fn fn, void *ctx);

/*
 * The children of parent that run as uid. SIGHT_IS: there are *ret_count; out gets at most max of
 * them. SIGHT_IS_NOT: there are none, or parent does not exist. SIGHT_CANNOT_TELL: *ret_count and
 * out have those that were seen, and there may be others.
 */
enum sight process_children(pid_t parent, uid_t uid, struct process *out, size_t max,
                            size_t *ret_count);

#endif
