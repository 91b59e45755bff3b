/* SPDX-License-Identifier: ISC */
/*
 * Processes of tunnel logins that are in no entry of the registry: they came in while pam_tunnel
 * was not in sshd's stack, and nobody can tell whose they are (docs/design.md 9).
 *
 * Logins and ends go on while one looks. A session is in the registry before its process is the
 * login's, and may be out of it a moment before that is gone; so a stray is one that was in no
 * entry of a registry that was read after the process was seen, and still is after a while, with
 * the same pid and start.
 */
#ifndef TUNLEASE_SESSION_STRAYS_H
#define TUNLEASE_SESSION_STRAYS_H

#include "lib/session/registry.h"
#include "lib/session/session_list.h"

enum { STRAY_LEAVING_MS = 500 }; /* so long may one that has left the registry take to be gone */

struct stray {
    pid_t pid;
    uint64_t start_ticks;
    int64_t since_ms;   /* of the look (clock_monotonic_ms) at which it first was in no entry */
    unsigned sightings; /* since, all of which found it so */
};

struct strays {
    struct stray *items; /* owned; by pid */
    size_t count;
};

/* Who they are: by number, or by their group, which is the primary one of each that leasectl made.
 * root is none of them. */
struct stray_logins {
    const uid_t *uids;
    size_t uid_count;
    bool has_gid;
    gid_t gid;
};

/*
 * One more look, at what runs as one of the logins: *s is what the looks before have found, and at
 * first nothing. What runs in another pid namespace, such as a container's, has an sshd of its own
 * there, and is left out. recent may be NULL, or what was read of the registry a moment ago, in any
 * order: it is read again only for what was not in it. SIGHT_IS: there are some. SIGHT_CANNOT_TELL:
 * there may be others than those, or, where errno is not of /proc, *s is as it was.
 */
enum sight strays_scan(struct strays *s, const struct registry *r, const struct session_list *known,
                       const struct stray_logins *logins);

/* Whether it was found twice, and by now for min_ms. */
bool stray_is_sure(const struct stray *s, int64_t min_ms);
size_t strays_sure(const struct strays *s, int64_t min_ms);

void strays_release(struct strays *s);

#endif
