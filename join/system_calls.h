/* SPDX-License-Identifier: ISC */
/* Takes system calls away from join for good (seccomp(2)). */
#ifndef TUNLEASE_JOIN_SYSTEM_CALLS_H
#define TUNLEASE_JOIN_SYSTEM_CALLS_H

/*
 * Afterwards no program can be started, no process made, traced or signalled, no memory made
 * executable, and no socket made but one of a unix stream; the rest that join never does and an
 * intruder would like is refused, too (system_calls.c). A list of what is refused, and not of what
 * is allowed: a libc may read, allocate and wait by whatever calls it likes.
 *
 * A kernel without seccomp leaves everything as it was. no_new_privs must be set before.
 */
void system_calls_refuse(void);

#endif
