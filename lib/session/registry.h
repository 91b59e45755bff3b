/* SPDX-License-Identifier: ISC */
/*
 * The session registry: which live connection was made with which lease's key. One file a session,
 * RunDir/sessions/LEASEID.PID (0.PID while its login is being judged), 0640 root:_tunlease, with
 * lines of `key value` (docs/design.md 3.4). Only root writes; the group reads.
 *
 * An entry is a claim; /proc is the truth. A reader gets the sessions that live, and those of which
 * nobody can tell (lib/session/sight.h). It counts the entries of dead sessions and leaves them
 * where they are. There are such entries because sshd does not always run close_session
 * (docs/sshd-facts.md 2). No reader removes them; registry_remove_dead does.
 *
 * RunDir/sessions/.NUMBER.ns says that processes of that pid namespace have made entries. If only
 * our own namespace has, then a pid that no process and no process group has is that of a dead
 * session, and its entry need not be opened: thousands of dead entries cost next to nothing.
 *
 * A session outlives its monitor if that is killed with SIGKILL: the child goes on and keeps the
 * listener. It is found by the monitor's session id (setsid(2)), which the kernel gives to no other
 * process as long as the child lives.
 */
#ifndef TUNLEASE_SESSION_REGISTRY_H
#define TUNLEASE_SESSION_REGISTRY_H

#include "lib/session/origin.h"

#include <stdbool.h>
#include <sys/types.h>

struct registry {
    int sessions_fd; /* RunDir/sessions */
    int lock_fd;     /* RunDir/lock; -1: the caller may not open it, and only reads */
    uid_t owner;
    gid_t group;
    struct origin here; /* our own boot and pid namespace */
};

/*
 * RunDir and its sessions/ must exist, belong to root or the effective user, and be writable by
 * nobody else; so must lock/ if for_writing. Returns 0, or -1 with errno (EPERM: unsafe).
 */
int registry_open(const char *run_dir, bool for_writing, struct registry *ret);
#define REGISTRY_CLOSED ((struct registry){.sessions_fd = -1, .lock_fd = -1})
void registry_close(struct registry *r); /* may be called again; sets REGISTRY_CLOSED */

#endif
