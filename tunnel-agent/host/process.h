/* SPDX-License-Identifier: ISC */
/*
 * Programs that the agent runs, from an argv and never through a shell. Each is a process group of
 * its own, to which a jump host's ssh belongs, and dies with the agent. Programs that a
 * process_call starts stay in the group of that call.
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
    PROCESS_OUTPUT_MAX = 128 * 1024, /* bytes; the rest is discarded */
    PROCESS_INPUT_MAX = 4096,        /* bytes; what every pipe takes at once */
};

/*
 * Starts argv[0]: what follows its last slash is looked up in PATH. Standard input is /dev/null.
 * *ret_out becomes a pipe from its standard output (NULL: /dev/null), *ret_err one from its
 * standard error (NULL: where standard output goes). The caller closes the pipes; they do not
 * block. The pid, or -1.
 */
pid_t process_start(const char *const argv[], int *ret_out, int *ret_err);

/*
 * The same without output, for a program that is set-group-ID, as ssh-agent is on Debian: of such a
 * one the kernel forgets that it dies with the agent. So it is run without those rights. The pid,
 * or -1.
 */
pid_t process_start_tied(const char *const argv[]);

/*
 * Calls run(ctx) in a child, which exits with what run returns. *ret_out becomes a pipe from its
 * descriptor 1. The pid, or -1.
 */
pid_t process_call(int (*run)(void *ctx), void *ctx, int *ret_out);

/*
 * Runs argv to its end and adds all its output to out; kills it after timeout_ms. It blocks, so
 * call it before the loop begins or inside a process_call. The exit status, 128 + the signal,
 * PROCESS_NOT_STARTED or PROCESS_OUT_OF_TIME.
 */
int process_run(const char *const argv[], int64_t timeout_ms, struct buf *out);

/* The same of a call of run(ctx) in a child, as process_call makes it. */
int process_run_call(int (*run)(void *ctx), void *ctx, int64_t timeout_ms, struct buf *out);

/* process_run with input, at most PROCESS_INPUT_MAX bytes, on its standard input, which ends then.
 * Its standard output is added to out, its standard error to err. */
int process_run_with(const char *const argv[], const char *input, int64_t timeout_ms,
                     struct buf *out, struct buf *err);

/*
 * Reaps a child that has ended (pid, or any child if pid is 0), and kills what is left of its
 * group, such as a ProxyCommand that hangs. With wait it waits for that end. Returns the pid, with
 * waitpid(2)'s status; 0: none has ended.
 */
pid_t process_reap(pid_t pid, bool wait, int *ret_status);

/* Sends a signal to a program of process_start and to all that it started. */
void process_signal(pid_t pid, int signal_no);

/* Makes an exit status as process_run returns it from one of waitpid(2). */
int process_status(int status);

#endif
