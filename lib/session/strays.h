/* SPDX-License-Identifier: ISC */
/*
 * Strays: processes of tunnel logins that no registry entry names. They logged in while pam_tunnel
 * was not in sshd's stack, and nobody can tell which lease they belong to (docs/design.md 9).
 *
 * Sessions begin and end during a scan. A session is in the registry before its process runs as the
 * login, and may be out of it a moment before that process is gone. So a process is surely a stray
 * only if it was in no entry of a registry that was read after the process was seen, and if that is
 * still so some time later, with the same pid and start.
 */
#ifndef TUNLEASE_SESSION_STRAYS_H
#define TUNLEASE_SESSION_STRAYS_H

#include "lib/session/registry.h"
#include "lib/session/session_list.h"

enum { STRAY_LEAVING_MS = 500 }; /* a process may live on for so long after its entry was removed */

struct stray {
    pid_t pid;
    uint64_t start_ticks;
    int64_t since_ms;   /* of the first scan (clock_monotonic_ms) that found it in no entry */
    unsigned sightings; /* how many scans have found it so, one after the other */
};

struct strays {
    struct stray *items; /* owned; by pid */
    size_t count;
};

/* The tunnel logins: by uid, or by group, which is the primary group of every login that leasectl
 * made. root is never one of them. */
struct stray_logins {
    const uid_t *uids;
    size_t uid_count;
    bool has_gid;
    gid_t gid;
};

/*
 * Scans once more for processes that run as one of the logins. *s is the result of the scans
 * before; empty before the first. Processes in another pid namespace, such as that of a container,
 * belong to an sshd there and are left out. known may be NULL, or sessions that were read from the
 * registry a moment ago, in any order: the registry is then read again only if a process is in none
 * of them.
 *
 * SIGHT_IS: there are some. SIGHT_CANNOT_TELL: there may be more than *s has; or, if the registry
 * could not be read or memory ran out, *s is unchanged.
 */
enum sight strays_scan(struct strays *s, const struct registry *r, const struct session_list *known,
                       const struct stray_logins *logins);

/* Whether at least two scans have found it, the first of them at least min_ms ago. */
bool stray_is_sure(const struct stray *s, int64_t min_ms);
size_t strays_sure(const struct strays *s, int64_t min_ms);

void strays_release(struct strays *s);

#endif
