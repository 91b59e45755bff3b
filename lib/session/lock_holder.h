/* SPDX-License-Identifier: ISC */
/*
 * Which process holds a write lock on a file, from /proc/locks (proc(5)). Not by fcntl(2): closing
 * a descriptor of the file would drop every lock that this process itself has on it.
 */
#ifndef TUNLEASE_SESSION_LOCK_HOLDER_H
#define TUNLEASE_SESSION_LOCK_HOLDER_H

#include <stdbool.h>
#include <sys/types.h>

enum { LOCK_HOLDER_NAME_BYTES = 32 };

/* False when nobody does, or it cannot be told. name: of the program, as the kernel has it. */
bool lock_holder_find(const char *path, pid_t *ret_pid, char name[static LOCK_HOLDER_NAME_BYTES]);

#endif
