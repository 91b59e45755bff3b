/* SPDX-License-Identifier: ISC */
/* The state directory, STATE_DIR or ~/.ssh-tunnel: the user's own, 0700, with small files of 0600.
 */
#ifndef TUNLEASE_AGENT_HOST_STATEDIR_H
#define TUNLEASE_AGENT_HOST_STATEDIR_H

#include "tunnel-agent/host/why.h"

#include <stdbool.h>
#include <stddef.h>

enum { STATEDIR_PATH_BYTES = 512, STATEDIR_FILE_MAX = 65536 };

struct statedir {
    char path[STATEDIR_PATH_BYTES];
    char run[STATEDIR_PATH_BYTES]; /* PATH/run: sockets of running agents */
};

/*
 * Finds the directory, and makes it if it is missing. Refuses one that belongs to another user, or
 * that others may write. 0, or -1 with a sentence in why.
 */
int statedir_open(struct statedir *d, char why[static WHY_BYTES]);

/* The text of a file in it without trailing line ends, for the caller to free. NULL: it cannot be
 * read, has a NUL, or is larger than STATEDIR_FILE_MAX. */
char *statedir_read(const struct statedir *d, const char *name);

/* True if there is such a file, or nobody can tell; also if statedir_read cannot read it. */
bool statedir_has(const struct statedir *d, const char *name);

/* Replaces a file by rename(2), mode 0600, so that a reader sees the old text or the new one; so
 * does one after a power cut, and the new one is on disk when this returns. 0, or -1 with errno. */
int statedir_write(const struct statedir *d, const char *name, const char *text);

/* PATH/NAME, for the caller to free. NULL: no memory. */
char *statedir_file(const struct statedir *d, const char *name);

/* Locks the directory until this process ends: only one agent of a gateway may use it. 0, or -1
 * with a sentence in why: another agent holds the lock, with its pid, or it cannot be made. */
int statedir_lock(const struct statedir *d, char why[static WHY_BYTES]);

/* Removes what killed agents left in PATH/run. */
void statedir_sweep(const struct statedir *d);

#endif
