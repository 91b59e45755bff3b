/* SPDX-License-Identifier: ISC */
/*
 * Processes as /proc shows them (proc(5)). A pid alone names nobody: it is reused. A pid with the
 * clock tick at which it started names one process until the next boot.
 */
#ifndef TUNLEASE_SESSION_PROCESS_H
#define TUNLEASE_SESSION_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process {
    pid_t pid;
    pid_t parent;
    pid_t session; /* setsid(2): sshd's monitor leads one, and its child stays in it */
    uid_t uid;     /* real */
    uint64_t start_ticks;
    char state; /* R, S, T, Z, ... */
};

/* False: there is no such process (any more). */
bool process_read(pid_t pid, struct process *ret);

/* The process that has this pid and start is there, and not a zombie. */
bool process_is(pid_t pid, uint64_t start_ticks);

/* Calls fn for every process; a result other than 0 ends it and is returned. -1: no /proc. */
typedef int (*process_fn)(void *ctx, const struct process *p);
int process_each(process_fn fn, void *ctx);

/* The children of parent that run as uid, at most max; returns how many were stored. */
size_t process_children(pid_t parent, uid_t uid, struct process *out, size_t max);

#endif
