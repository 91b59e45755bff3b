/* SPDX-License-Identifier: ISC */
/* Programs that leasectl runs: an argv without a shell, a deadline, limited output. */
#ifndef TUNLEASE_LEASECTL_CHILD_H
#define TUNLEASE_LEASECTL_CHILD_H

#include "lib/base/buf.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { CHILD_OUTPUT_MAX = 1024 * 1024 };

/* Results of child_run, with the numbers of timeout(1) and of a shell. */
enum { CHILD_OUT_OF_TIME = 124, CHILD_NOT_STARTED = 127 };

/* A running program. in, out, err: our ends of its pipes, -1 when closed; out and err are
 * non-blocking. */
struct child {
    pid_t pid; /* -1: not running */
    int in, out, err;
    struct buf out_text, err_text; /* what child_pump has read */
    int status;                    /* from waitpid(2); set when it has ended */
};

/* One that was not started. Zeros would not do: 0 is leasectl's own standard input. */
#define CHILD_NONE ((struct child){.pid = -1, .in = -1, .out = -1, .err = -1})

/*
 * Starts argv[0], which is looked up in a fixed PATH. Its environment is that PATH, LC_ALL=C, a
 * HOME that does not exist, and env (NAME=VALUE, NULL-terminated, may be NULL). The kernel kills it
 * when leasectl dies. 0, or -1 with errno.
 */
int child_start(struct child *c, const char *const argv[], const char *const env[]);

/* Waits up to timeout_ms for output or for the end, and reads what there is. True when it has
 * ended. */
bool child_pump(struct child *c, int timeout_ms);

/* Closes our end of its standard input. */
void child_close_input(struct child *c);

/* Ends it with SIGTERM, after 500 ms with SIGKILL, and reads the rest of its output. */
void child_stop(struct child *c);

/* child_stop, and frees the output. */
void child_release(struct child *c);

/* The text in out_text or err_text so far; "" if there is none or memory ran out. */
const char *child_text(const struct buf *output);

/* Adds the first line of out_text or err_text to out, without its newline. */
void child_add_first_line(const struct buf *output, struct buf *out);

/* The exit status, 128 + the signal, or -1 while it runs. */
int child_exit_status(const struct child *c);

/*
 * Runs a program to its end, with env as in child_start and input (may be NULL) on its standard
 * input. Returns its exit status; or CHILD_NOT_STARTED, also when the input could not be written;
 * or CHILD_OUT_OF_TIME when it was stopped after timeout_ms. out_text and err_text hold its output.
 * The caller releases c with child_release.
 */
int child_run(struct child *c, const char *const argv[], const char *const env[], const char *input,
              int timeout_ms);

struct child_user {
    const char *name; /* whose groups it gets */
    uid_t uid;
    gid_t gid;
};

/*
 * As child_run, without input: argv[0] is a path, run as sshd(8) runs AuthorizedKeysCommand: as
 * user, with the user's groups, by execve(2). CHILD_NOT_STARTED: err_text is why the kernel did not
 * take it. Needs root.
 */
int child_run_as(struct child *c, const char *const argv[], const struct child_user *user,
                 int timeout_ms);

#endif
