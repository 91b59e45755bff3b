/* SPDX-License-Identifier: ISC */
/*
 * The join connections: those of JoinLogin, at which an invite is redeemed. They hold no lease, so
 * they have a registry of their own, RunDir/join, and no count of a lease's sessions has them. An
 * entry names the connection's monitor, and the key that sshd has verified.
 *
 * A connection that never runs the forced command (`ssh -N`) would stand for ever, so pam_tunnel
 * counts them, and leased ends each after JOIN_SESSION_S.
 */
#ifndef TUNLEASE_SESSION_JOIN_SESSION_H
#define TUNLEASE_SESSION_JOIN_SESSION_H

#include "lib/session/registry.h"
#include "lib/session/session.h"
#include "lib/session/session_list.h"
#include "lib/session/sight.h"

#include <stdint.h>

#define JOIN_SESSION_LEASE "join"

/* What the program of join calls itself (prctl, PR_SET_NAME) while it holds back the answer to a
 * wrong code: who has been judged gives way first. A client cannot have it say anything else. */
#define JOIN_REFUSED_NAME "join-refused"

enum {
    JOIN_SESSION_ID = 1,    /* the lease_id of each entry, and of the lock */
    JOIN_SESSIONS_MAX = 16, /* that stand at once */
    JOIN_SOURCE_MAX = 4,    /* of them from one source: an IPv4 address, or an IPv6 /64 */
    JOIN_SESSION_S = 30,
};

/* registry_open for RunDir/join. For writing, a root caller makes it if it is missing. Returns 0,
 * or -1 with errno; ENOENT: nobody has ever joined here. */
int join_registry_open(const char *run_dir, bool for_writing, struct registry *ret);

/*
 * The join connection that process pid belongs to: the entry of the nearest of its ancestors, or of
 * itself, that has one. SIGHT_IS: sets *ret, to be released. SIGHT_IS_NOT: it is in none.
 * SIGHT_CANNOT_TELL: an ancestor or an entry cannot be read; errno says why (EXDEV: the process or
 * the connection is of another pid namespace).
 */
enum sight join_session_of(const char *run_dir, pid_t pid, struct session *ret);

/*
 * Whether one more connection from source may stand beside the others. SIGHT_IS_NOT: *ret_why says
 * which limit is reached. *ret_leaves, to be released, is a list of one connection: if the caller
 * ends that, there is room; or it is empty, and there is none. It is the oldest of those whose code
 * was judged wrong (of that source, where the limit is that of a source). Where there is no such
 * one, and the limit is that of all, it is the oldest of the source that has most, so who floods
 * from many addresses makes way for others. *ret_is_refused: its code was wrong.
 * SIGHT_CANNOT_TELL: they could not be counted, not by deadline_ms (clock_monotonic_ms); errno says
 * why. Those of which nobody can tell whether they live count, and never leave. The caller holds
 * registry_lock(r, JOIN_SESSION_ID), and this removes entries of the dead.
 */
enum sight join_session_has_room(const struct registry *r, const char *source, int64_t deadline_ms,
                                 struct session_list *ret_leaves, bool *ret_is_refused,
                                 const char **ret_why);

#endif
