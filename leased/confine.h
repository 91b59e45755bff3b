/* SPDX-License-Identifier: ISC */
/* Taking rights away from the http process, for good (landlock(7), seccomp(2)). */
#ifndef TUNLEASE_LEASED_CONFINE_H
#define TUNLEASE_LEASED_CONFINE_H

#include <stddef.h>

/*
 * No file below /, and of the system calls only what a loop over sockets that are open needs: no
 * open, socket, connect, kill, exec or ptrace. 0; or -1 with why, nothing promised.
 */
int confine_http(char *why, size_t why_bytes);

#endif
