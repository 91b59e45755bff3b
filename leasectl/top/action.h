/* SPDX-License-Identifier: ISC */
/*
 * A command of leasectl that a key of `top` asks for, such as kill. It runs as it would from a
 * shell, by the same function, in a child process that has a terminal of its own: what it prints
 * and asks there is shown, and the answer is given to it.
 */
#ifndef TUNLEASE_LEASECTL_TOP_ACTION_H
#define TUNLEASE_LEASECTL_TOP_ACTION_H

#include "leasectl/ctl.h"
#include "lib/base/buf.h"

#include <stdbool.h>
#include <sys/types.h>

enum { ACTION_ARGS_MAX = 4, ACTION_ARG_BYTES = 32, ACTION_OUTPUT_BYTES = 4096 };

struct action {
    int (*run)(struct ctl *ctl, int argc, char **argv); /* a cmd_ function */
    char args[ACTION_ARGS_MAX][ACTION_ARG_BYTES];       /* args[0]: the command */
    int arg_count;
    pid_t pid; /* 0: it does not run */
    bool has_ended, is_reaped, has_failed;
    int fd;            /* our end of its terminal */
    struct buf output; /* what it has printed: not escaped */
};

/* 0, or -1 with errno. close_fd: a descriptor that it must not keep. */
int action_start(struct ctl *ctl, struct action *a, int close_fd);

/* Reads what it prints. True when it has ended. */
bool action_read(struct action *a);

/* It has asked, and waits for an answer. */
bool action_asks(const struct action *a);
void action_answer(struct action *a, bool yes);

/* Once it has ended: true if its status was not 0, or a signal ended it, or neither is known. */
bool action_has_failed(struct action *a);

/* Its last lines as one. Adds to out. */
void action_add_summary(const struct action *a, struct buf *out);

/* One that runs goes on by itself. */
void action_release(struct action *a);

#endif
