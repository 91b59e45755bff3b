/* SPDX-License-Identifier: ISC */
/* Programs that leasectl runs: an argv, never a shell; a deadline; output limited. */
#ifndef TUNLEASE_LEASECTL_CHILD_H
#define TUNLEASE_LEASECTL_CHILD_H

#include "lib/base/buf.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { CHILD_OUTPUT_MAX = 1024 * 1024 };

/* Exit statuses of child_run, as a shell and timeout(1) have them. */
enum { CHILD_OUT_OF_TIME = 124, CHILD_NOT_STARTED = 127 };

/* A running child. in, out, err: our ends, -1 when closed; out and err do not block. */
struct child {
    pid_t pid; /* -1: none */
    int in, out, err;
    struct buf out_text, err_text; /* what child_pump has read */
    int status;                    /* from waitpid(2), once pid is -1 */
};

/*
 * Starts argv[0] (looked up in a fixed PATH) with LC_ALL=C and the environment given in env
 * (NAME=VALUE, NULL-terminated, may be NULL) in place of ours. It dies with us. 0 or -1, errno.
 */
int child_start(struct child *c, const char *const argv[], const char *const env[]);

/* Waits up to timeout_ms for output or the end, and takes what is there. True when it has ended. */
bool child_pump(struct child *c, int timeout_ms);

/* Closes our end of its standard input. */
void child_close_input(struct child *c);

/* Ends it, SIGTERM then SIGKILL, and takes the rest of its output. Then release. */
void child_stop(struct child *c);
void child_release(struct child *c);

/* out_text or err_text as it is so far: "" where nothing was said, or memory ran out. */
const char *child_text(const struct buf *output);

/* Adds the first line of out_text or err_text. */
void child_add_first_line(const struct buf *output, struct buf *out);

/* The exit status, 128 + the signal, or -1 while it runs. */
int child_exit_status(const struct child *c);

/*
 * Runs one to its end with this environment and input, at most timeout_ms. Its exit status, or
 * CHILD_NOT_STARTED (also where it could not be given its input), CHILD_OUT_OF_TIME; out_text and
 * err_text hold what it said, to be released by the caller with child_release.
 */
int child_run(struct child *c, const char *const argv[], const char *const env[], const char *input,
              int timeout_ms);

#endif
