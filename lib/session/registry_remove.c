/* SPDX-License-Identifier: ISC */
#include "lib/session/registry_remove.h"

#include "lib/base/clock.h"
#include "lib/session/entry.h"
#include "lib/session/liveness.h"
#include "lib/session/registry_lock.h"
#include "lib/session/registry_names.h"

#include <stdbool.h>
#include <unistd.h>

enum { REMOVED_PER_LOCK = 100 }; /* newcomers wait for the lock, so it is released after so many */

static bool may_remove(const struct registry *r)
{
    return r->lock_fd >= 0 && geteuid() == r->owner;
}

/*
 * The caller holds the lock of the lease. A login that was ended while it was opening may have left
 * a half-written entry behind; while the lock of openings is held, no other one has its pid.
 */
static bool remove_names(const struct registry *r, int64_t lease_id, const struct session *s)
{
    char name[REGISTRY_NAME_BYTES];
    entry_name(lease_id, s->pid, name);
    if (unlinkat(r->sessions_fd, name, 0) != 0)
        return false;
    temporary_name(s->origin.pid_namespace, s->pid, name);
    if (lease_id == 0)
        (void)unlinkat(r->sessions_fd, name, 0);
    return true;
}

/* The caller holds the lock of the lease. The entry is judged again, because another login may have
 * got the pid since. */
static bool remove_dead_entry(const struct registry *r, const struct dead_entry *dead)
{
    struct session s;
    bool removed = false;
    if (entry_read(r, dead->id.lease_id, dead->id.pid, &s) != SIGHT_IS)
        return false;
    bool is_same = dead->start_ticks != 0 && s.start_ticks == dead->start_ticks;
    switch (liveness_judge(&r->here, &s)) {
    case LIVENESS_DEAD:
        removed = is_same || dead->start_ticks == 0;
        break;
    case LIVENESS_LEADERLESS: /* and the scan of /proc found no orphan */
        removed = is_same;
        break;
    case LIVENESS_LIVE:
    case LIVENESS_UNSEEN:
        break;
    }
    removed = removed && remove_names(r, dead->id.lease_id, &s);
    session_release(&s);
    return removed;
}

size_t registry_remove_dead_locked(const struct registry *r, int64_t lease_id,
                                   const struct session_list *list, size_t most)
{
    size_t removed = 0;
    if (!may_remove(r))
        return 0;
    for (size_t i = 0; i < list->dead_count && removed < most; i++)
        removed += list->dead[i].id.lease_id == lease_id && remove_dead_entry(r, &list->dead[i]);
    return removed;
}

/* Whether the entry is still that of the session, and not that of another login which got its
 * pid. */
static bool is_entry_of(const struct registry *r, int64_t lease_id, const struct session *s)
{
    struct session there;
    if (entry_read(r, lease_id, s->pid, &there) != SIGHT_IS)
        return false;
    bool is = there.start_ticks == s->start_ticks &&
              there.origin.pid_namespace == s->origin.pid_namespace;
    session_release(&there);
    return is;
}

/* Looks first, so that nobody waits for a lock if there is nothing to remove. */
static void remove_ended(const struct registry *r, int64_t lease_id, const struct session *s,
                         bool has_lock, int64_t deadline_ms)
{
    if (!is_entry_of(r, lease_id, s))
        return;
    int lock = has_lock ? -1 : registry_lock(r, lease_id, deadline_ms);
    if (has_lock || (lock >= 0 && is_entry_of(r, lease_id, s)))
        (void)remove_names(r, lease_id, s);
    if (lock >= 0)
        (void)close(lock);
}

void registry_remove_ended(const struct registry *r, const struct session *s, bool has_lease_lock,
                           int64_t deadline_ms)
{
    if (!may_remove(r))
        return;
    if (s->lease_id != 0)
        remove_ended(r, s->lease_id, s, has_lease_lock, deadline_ms);
    remove_ended(r, 0, s, false, deadline_ms);
}

size_t registry_remove_dead(const struct registry *r, const struct session_list *list,
                            int64_t deadline_ms)
{
    size_t removed = 0;
    if (!may_remove(r))
        return 0;
    for (size_t i = 0; i < list->dead_count && clock_monotonic_ms() < deadline_ms;) {
        const int64_t lease_id = list->dead[i].id.lease_id;
        int lock = registry_lock(r, lease_id, 0);
        for (size_t n = 0;
             n < REMOVED_PER_LOCK && i < list->dead_count && list->dead[i].id.lease_id == lease_id;
             n++, i++)
            removed += lock >= 0 && remove_dead_entry(r, &list->dead[i]);
        if (lock >= 0)
            (void)close(lock);
    }
    return removed;
}
