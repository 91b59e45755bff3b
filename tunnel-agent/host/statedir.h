/* SPDX-License-Identifier: ISC */
/* STATE_DIR (~/.ssh-tunnel): this user's own, 0700, and the small files in it, each 0600. */
#ifndef TUNLEASE_AGENT_HOST_STATEDIR_H
#define TUNLEASE_AGENT_HOST_STATEDIR_H

#include "tunnel-agent/host/why.h"

#include <stdbool.h>
#include <stddef.h>

enum { STATEDIR_PATH_BYTES = 512, STATEDIR_FILE_MAX = 65536 };

struct statedir {
    char path[STATEDIR_PATH_BYTES];
    char run[STATEDIR_PATH_BYTES]; /* PATH/run: sockets of agents that are running */
};

/*
 * Finds the directory (STATE_DIR, else HOME's .ssh-tunnel), makes what is missing, and refuses one
 * that is another user's or that others may write. 0, or -1 with a sentence in why.
 */
int statedir_open(struct statedir *d, char why[static WHY_BYTES]);

/* The text of a file in it, to be freed; line ends at its end are taken off. NULL: there is none,
 * or it is larger than STATEDIR_FILE_MAX. */
char *statedir_read(const struct statedir *d, const char *name);

/* Writes it anew, mode 0600, by rename: a reader sees the old text or the new one. 0 or -1, errno.
 */
int statedir_write(const struct statedir *d, const char *name, const char *text);

/* PATH/NAME, to be freed. NULL: no memory. */
char *statedir_file(const struct statedir *d, const char *name);

/* Only one agent may hold a gateway's tunnel with this state. The lock is the process's until it
 * ends. 0, or -1 when another has it. */
int statedir_lock(const struct statedir *d);

/* Removes sockets of agents that were killed. */
void statedir_sweep(const struct statedir *d);

#endif
