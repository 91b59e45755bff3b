/* SPDX-License-Identifier: ISC */
/*
 * Processes as /proc shows them (proc(5)). A pid alone names nobody: it is reused. A pid with the
 * clock tick at which it started names one process until the next boot.
 *
 * /proc may hide what is there (hidepid=, which answers ENOENT or EPERM for the processes of
 * others), and a look may want a descriptor or memory that is not to be had. A process is not there
 * when the kernel says ESRCH, be it to kill(2), which answers whatever /proc shows.
 */
#ifndef TUNLEASE_SESSION_PROCESS_H
#define TUNLEASE_SESSION_PROCESS_H

#include "lib/session/sight.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process {
    pid_t pid;
    pid_t parent;
    pid_t session; /* setsid(2): sshd's monitor leads one, and its child stays in it */
    uid_t uid;     /* real, as is gid */
    gid_t gid;
    uint64_t start_ticks;
    char state; /* R, S, T, Z, X, ... */
};

/* True of one that only waits for its parent (Z), or is just being reaped (X). */
static inline bool process_has_ended(const struct process *p)
{
    return p->state == 'Z' || p->state == 'X';
}

/* Whether any process has this pid, a zombie too: by the kernel's word, not by /proc. */
enum sight process_answers(pid_t pid);

/* Whether any process is in the group that leader leads, or led: it need not live any more. */
enum sight process_group_answers(pid_t leader);

/* *ret only with SIGHT_IS. A zombie is one that is. */
enum sight process_read(pid_t pid, struct process *ret);

/* The same without uid and gid, at half the price. */
enum sight process_read_stat(pid_t pid, struct process *ret);

/* Whether the process that has this pid and start is there, and not a zombie. */
enum sight process_is(pid_t pid, uint64_t start_ticks);

/*
 * Calls fn for every process until it says true. SIGHT_IS: it did. SIGHT_IS_NOT: it did of none,
 * and all were met. SIGHT_CANNOT_TELL: it did of none, and some may not have been met: nothing may
 * be concluded about those. Who knows of a process that answers has to see, too, that it was met.
 */
typedef bool (*process_fn)(void *ctx, const struct process *p);
enum sight process_each(process_fn fn, void *ctx);

/*
 * The children of parent that run as uid. SIGHT_IS: there are *ret_count, of which max are stored
 * at most. SIGHT_IS_NOT: there are none, or no parent. SIGHT_CANNOT_TELL: there may be others than
 * those that were met, which *ret_count and out name.
 */
enum sight process_children(pid_t parent, uid_t uid, struct process *out, size_t max,
                            size_t *ret_count);

#endif
