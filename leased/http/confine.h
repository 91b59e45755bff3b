/* SPDX-License-Identifier: ISC */
/* Taking rights away from the http process, for good (landlock(7), seccomp(2)). */
#ifndef TUNLEASE_LEASED_HTTP_CONFINE_H
#define TUNLEASE_LEASED_HTTP_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * No file below /, and of the system calls only what a loop over sockets that are open needs: no
 * open, socket, connect, kill, exec or ptrace, no datagram to an address, no memory that can be
 * run; another gets EPERM. No core, and nobody of the same uid reads the memory.
 *
 * 0: confined, with why "". With allow_missing also where this kernel has no landlock or no seccomp
 * (ENOSYS, EOPNOTSUPP; EINVAL of a seccomp that is not built in): then why says what is missing,
 * and the other of the two holds. CONFINE_REFUSED: one of them is missing here, which does not pass
 * by itself. -1: it failed. In both cases why says what, and nothing is promised.
 */
enum { CONFINE_REFUSED = 1 };

int confine_http(bool allow_missing, char *why, size_t why_bytes);

#endif
