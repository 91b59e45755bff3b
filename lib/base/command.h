/* SPDX-License-Identifier: ISC */
/*
 * Runs a command in the place of the program's user, as sudo(8) and nohup(1) do.
 *
 * The command is a process group of its own. It has the terminal while the program would have it;
 * when it stops, the program's group stops with it. Signals that the program gets are passed on to
 * it. The kernel kills it when the program dies (Linux; not a program that changes its user, as a
 * set-user-ID one does). If the program's keeper (keeper.h) ends, the command is ended: SIGTERM,
 * after COMMAND_GRACE_MS or its own end SIGKILL to what is left of its group.
 *
 * A program has one command, since signals are the process's.
 */
#ifndef TUNLEASE_BASE_COMMAND_H
#define TUNLEASE_BASE_COMMAND_H

#include "lib/base/keeper.h"

#include <stdbool.h>

enum {
    COMMAND_NOT_STARTED = 125, /* the exit status of a program that could not start the command */
    COMMAND_GRACE_MS = 10 * 1000,
};

/* Takes over the signals that are passed on, and remembers how they were: the command gets them so.
 * From here on they wait until command_run. Call it before what must be undone if a signal comes.
 */
void command_begin(void);

struct command_plan {
    char *const *argv; /* argv[0] is looked up in PATH */
    /* In the child, before it becomes the command: 0, or -1 with errno. It may call only what
     * signal-safety(7) lists. NULL: nothing to do. */
    int (*become)(void *ctx);
    void *ctx;
    struct keeper *keeper;
};

/*
 * Runs the command to its end, and tells the keeper; the caller then waits for that (keeper_wait).
 * Returns its exit status, or 128 + its signal. COMMAND_NOT_STARTED with *ret_errno set: it could
 * not be started; else *ret_errno is 0. *ret_keeper_ended: the keeper ended first.
 */
int command_run(const struct command_plan *plan, int *ret_errno, bool *ret_keeper_ended);

#endif
