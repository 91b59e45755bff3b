/* SPDX-License-Identifier: ISC */
/*
 * Where a pid and the tick of its start mean something: one boot of one kernel, and one pid
 * namespace (pid_namespaces(7)). A RunDir on disk outlives a boot, and one that containers share is
 * read beyond a namespace.
 */
#ifndef TUNLEASE_SESSION_ORIGIN_H
#define TUNLEASE_SESSION_ORIGIN_H

#include "lib/session/sight.h"

#include <stdbool.h>
#include <stdint.h>

enum { ORIGIN_BOOT_BYTES = 37 };

struct origin {
    char boot_id[ORIGIN_BOOT_BYTES]; /* random(4); "": not known */
    uint64_t pid_namespace;          /* its inode, as in /proc/self/ns/pid; 0: not known */
};

/* Ours, as far as /proc tells it. */
void origin_read(struct origin *ret);

/* Whether what boot_id says was written at since_s (Unix seconds) was so before this kernel
 * started. A container may have a boot_id of its own, which a service in it that has /proc mounted
 * anew does not see (systemd-nspawn(1), systemd.exec(5)): another one alone does not say so. */
bool origin_is_earlier_boot(const struct origin *here, const char *boot_id, int64_t since_s);

/*
 * Whether what was written there at since_s (Unix seconds) can be looked at from here.
 * SIGHT_IS_NOT: it was in another boot, and ended with it. SIGHT_CANNOT_TELL: it is in another
 * namespace; errno is EXDEV.
 *
 * What is not known on either side, as of an entry that an older version wrote, is taken for ours:
 * such are judged by pid and start alone, as they always were.
 */
enum sight origin_is_here(const struct origin *here, const struct origin *there, int64_t since_s);

#endif
