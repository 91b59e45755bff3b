/* SPDX-License-Identifier: ISC */
/* Takes rights away from the http process for good (landlock(7), seccomp(2)). */
#ifndef TUNLEASE_LEASED_HTTP_CONFINE_H
#define TUNLEASE_LEASED_HTTP_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Afterwards the process can use no file below /, and only the system calls of a loop over sockets
 * that are already open: no open, socket, connect, kill, exec or ptrace, no datagram to an address,
 * no executable memory. Every other call fails with EPERM. The process leaves no core, and another
 * of the same uid cannot read its memory.
 *
 * Returns 0: confined, and why is "". With allow_missing also 0 if this kernel or container lacks
 * landlock or seccomp (see is_missing in confine.c): then why says what is missing, and the other
 * of the two is in force. CONFINE_REFUSED: one of them is missing; trying again will not help. -1:
 * a step failed. After both, why says which step, and the process may be half confined.
 */
enum { CONFINE_REFUSED = 1 };

int confine_http(bool allow_missing, char *why, size_t why_bytes);

#endif
