/* SPDX-License-Identifier: ISC */
/*
 * Where a pid and the tick of its start are valid: in one boot of one kernel, and in one pid
 * namespace (pid_namespaces(7)). A RunDir on disk outlives a boot, and a RunDir that containers
 * share is read from several namespaces.
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

/* Reads our own, as far as /proc shows it. */
void origin_read(struct origin *ret);

/* Whether something that was written at since_s (Unix seconds) in the boot boot_id is older than
 * this boot. Another boot_id alone does not prove it: a container may have a boot_id of its own,
 * which a service in it that has /proc mounted anew does not see (systemd-nspawn(1),
 * systemd.exec(5)). */
bool origin_is_earlier_boot(const struct origin *here, const char *boot_id, int64_t since_s);

/*
 * Whether something that was written there at since_s (Unix seconds) can be judged from here.
 * SIGHT_IS_NOT: it was in an earlier boot, and ended with it. SIGHT_CANNOT_TELL: it is in another
 * namespace; errno is EXDEV.
 *
 * What is not known on either side, as in an entry that an older version wrote, is taken to be
 * ours: such entries are judged by pid and start alone, as they always were.
 */
enum sight origin_is_here(const struct origin *here, const struct origin *there, int64_t since_s);

#endif
