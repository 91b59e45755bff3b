/* SPDX-License-Identifier: ISC */
/*
 * The session registry: which live connection was made with which lease's key. One file a session,
 * RunDir/sessions/LEASEID.PID (0.PID while its login is being judged), 0640 root:_tunlease, lines
 * of `key value` (docs/design.md 3.4). Only root writes; the group reads.
 *
 * An entry is a claim, /proc is the truth. Who reads is told of the sessions that live, and of
 * those of which it cannot be told (lib/session/sight.h); entries of the dead are counted and
 * passed over. sshd does not always say goodbye (docs/sshd-facts.md 2), so such are left behind:
 * registry_remove_dead takes them away. No reader does.
 *
 * RunDir/sessions/.NUMBER.ns says that processes of that pid namespace have made entries. Where
 * only ours is there, a number that no process and no group has is that of a dead session, and its
 * entry need not be opened: thousands of such cost next to nothing.
 *
 * A session outlives its monitor when that is killed with SIGKILL: the child goes on and keeps the
 * listener. It is found by the monitor's session id (setsid(2)), which the kernel gives to nobody
 * else as long as the child lives.
 */
#ifndef TUNLEASE_SESSION_REGISTRY_H
#define TUNLEASE_SESSION_REGISTRY_H

#include "lib/session/origin.h"

#include <stdbool.h>
#include <sys/types.h>

struct registry {
    int sessions_fd; /* RunDir/sessions */
    int lock_fd;     /* RunDir/lock; -1 for readers who may not enter it */
    uid_t owner;
    gid_t group;
    struct origin here; /* ours */
};

/*
 * Both directories must be there, owned by root or the effective user, and writable by nobody else.
 * for_writing: and the locks must be within reach. 0, or -1 with errno set (EPERM: unsafe).
 */
int registry_open(const char *run_dir, bool for_writing, struct registry *ret);
#define REGISTRY_CLOSED ((struct registry){.sessions_fd = -1, .lock_fd = -1})
void registry_close(struct registry *r); /* accepts REGISTRY_CLOSED, and leaves it so */

#endif
