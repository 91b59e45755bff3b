/* SPDX-License-Identifier: ISC */
/* The ssh client as attempts run it: its arguments, its environment and its time. */
#ifndef TUNLEASE_LEASECTL_PROBE_SSH_H
#define TUNLEASE_LEASECTL_PROBE_SSH_H

#include "leasectl/probe/target.h"

#include <stddef.h>

enum {
    ATTEMPT_MS = 8000, /* one attempt in all */
    SSH_ARGS_MAX = 64,
};

struct ssh_args {
    const char *argv[SSH_ARGS_MAX];
    size_t count;
    char port[8], identity[ATTEMPT_WORD_BYTES], known_hosts[ATTEMPT_WORD_BYTES + 32];
};

/* Sets the arguments of all attempts: the target's port, key and login, and never to prompt. */
void ssh_begin(struct ssh_args *a, const struct attempt_target *t);

/* arg and option are borrowed until ssh has been started. */
void ssh_add_arg(struct ssh_args *a, const char *arg);
void ssh_add_option(struct ssh_args *a, const char *option); /* with -o */

extern const char *const ssh_env[]; /* for child_start */

#endif
