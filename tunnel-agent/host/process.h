/* SPDX-License-Identifier: ISC */
/*
 * Programs that the agent runs: an argv, never a shell. Each is a process group of its own (a jump
 * host's ssh belongs to it) and dies with the agent. What a process_call runs belongs to its group.
 */
#ifndef TUNLEASE_AGENT_HOST_PROCESS_H
#define TUNLEASE_AGENT_HOST_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct buf;

enum {
    PROCESS_NOT_STARTED = 127,
    PROCESS_OUT_OF_TIME = 124,
    PROCESS_OUTPUT_MAX = 128 * 1024, /* more is thrown away */
};

/*
 * Starts argv[0] (what stands behind its last slash, looked up in PATH), its standard input
 * /dev/null. Its standard output goes to *ret_out when that is asked for, else to /dev/null; its
 * standard error to *ret_err (NULL: into ret_out's pipe). The descriptors do not block and are the
 * caller's to close. The pid, or -1.
 */
pid_t process_start(const char *const argv[], int *ret_out, int *ret_err);

/*
 * Calls run(ctx) in a child; what it writes to descriptor 1 comes out of *ret_out. The child exits
 * with what run returns. The pid, or -1.
 */
pid_t process_call(int (*run)(void *ctx), void *ctx, int *ret_out);

/*
 * Runs one to its end, at most timeout_ms, and adds all it said to out. Waits: only for before the
 * loop begins, and inside a process_call. The exit status, 128 + the signal, PROCESS_NOT_STARTED or
 * PROCESS_OUT_OF_TIME.
 */
int process_run(const char *const argv[], int64_t timeout_ms, struct buf *out);

/*
 * Of a child that has ended (pid, or any for 0): kills what is left of its group, such as a
 * ProxyCommand that hangs, and reaps it. Waits for its end only if told so. Its pid and
 * waitpid(2)'s status, or 0 when none has ended.
 */
pid_t process_reap(pid_t pid, bool wait, int *ret_status);

/* A signal for one of process_start's and all that it started. */
void process_signal(pid_t pid, int signal_no);

/* An exit status as process_run returns it, from waitpid(2)'s. */
int process_status(int status);

#endif
