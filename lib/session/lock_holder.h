/* SPDX-License-Identifier: ISC */
/*
 * Finds the process that holds a write lock on a file, in /proc/locks (proc(5)). It does not use
 * fcntl(2): closing a descriptor of the file would drop every lock that this process itself has on
 * it.
 */
#ifndef TUNLEASE_SESSION_LOCK_HOLDER_H
#define TUNLEASE_SESSION_LOCK_HOLDER_H

#include "lib/session/sight.h"

#include <sys/types.h>

enum { LOCK_HOLDER_NAME_BYTES = 32 };

/* SIGHT_IS: sets *ret_pid, and name to the name of the program as the kernel has it ("" if it is
 * not shown). A holder in another pid namespace is not in /proc/locks, and is not found. */
enum sight lock_holder_find(const char *path, pid_t *ret_pid,
                            char name[static LOCK_HOLDER_NAME_BYTES]);

#endif
