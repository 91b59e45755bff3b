/* SPDX-License-Identifier: ISC */
/*
 * Which process holds a write lock on a file, from /proc/locks (proc(5)). Not by fcntl(2): closing
 * a descriptor of the file would drop every lock that this process itself has on it.
 */
#ifndef TUNLEASE_SESSION_LOCK_HOLDER_H
#define TUNLEASE_SESSION_LOCK_HOLDER_H

#include "lib/session/sight.h"

#include <sys/types.h>

enum { LOCK_HOLDER_NAME_BYTES = 32 };

/* *ret_pid and name (of the program, as the kernel has it; "" when it is not shown) with SIGHT_IS.
 * Somebody in another pid namespace is one that cannot be told. */
enum sight lock_holder_find(const char *path, pid_t *ret_pid,
                            char name[static LOCK_HOLDER_NAME_BYTES]);

#endif
