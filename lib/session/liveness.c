/* SPDX-License-Identifier: ISC */
#include "lib/session/liveness.h"

#include "lib/base/clock.h"
#include "lib/session/process.h"

#include <errno.h>
#include <stdlib.h>

static enum liveness unseen(struct session *s, int why)
{
    session_set_unseen(s, why);
    return LIVENESS_UNSEEN;
}

enum liveness liveness_judge(const struct origin *here, struct session *s)
{
    struct process p;
    switch (origin_is_here(here, &s->origin, s->since_s)) {
    case SIGHT_IS:
        break;
    case SIGHT_IS_NOT:
        return LIVENESS_DEAD;
    case SIGHT_CANNOT_TELL:
        return unseen(s, errno);
    }
    switch (process_read_stat(s->pid, &p)) {
    case SIGHT_IS:
        /* Another process has the pid. The kernel gives it to none while a group or a session has
         * that number, so no child is left. */
        if (p.start_ticks != s->start_ticks)
            return LIVENESS_DEAD;
        if (!process_has_ended(&p))
            return LIVENESS_LIVE;
        break;
    case SIGHT_IS_NOT:
        break;
    case SIGHT_CANNOT_TELL:
        return unseen(s, errno);
    }
    /* The monitor leads a process group, and its child stays in it. */
    switch (process_group_answers(s->pid)) {
    case SIGHT_IS:
        return LIVENESS_LEADERLESS;
    case SIGHT_IS_NOT:
        return LIVENESS_DEAD;
    case SIGHT_CANNOT_TELL:
        break;
    }
    return unseen(s, errno);
}

bool liveness_is_orphan(const struct process *p, pid_t monitor, uint64_t monitor_start_ticks,
                        uid_t login)
{
    return p->session == monitor && p->pid != monitor && (p->uid == login || p->uid == 0) &&
           p->start_ticks >= monitor_start_ticks && !process_has_ended(p);
}

/* ---- the scan of /proc: for sessions whose monitor is gone, but not its process group ---- */

struct orphan_search {
    bool monitor_was_seen; /* by the scan */
    bool is_of_root;       /* the orphan found so far is root's; one of the login's replaces it */
};

struct proc_scan {
    struct session_list *list;
    int64_t deadline_ms;
    struct orphan_search *searches; /* one for each of list->items */
};

/* The index of the first session whose pid is not smaller, or the end of the list. */
static size_t first_of(const struct session_list *list, pid_t pid)
{
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (list->items[mid].pid < pid)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* Prefers the login's own child, which has the sockets, to a process of root's, such as one that a
 * PAM module left running. */
static void choose_orphan(struct session *s, struct orphan_search *search, const struct process *p)
{
    bool is_wanted = s->orphan == ORPHAN_SOUGHT || (search->is_of_root && p->uid == s->uid);
    if (!is_wanted || !liveness_is_orphan(p, s->pid, s->start_ticks, s->uid))
        return;
    s->orphan = p->pid;
    search->is_of_root = p->uid != s->uid;
}

static bool visit(void *arg, const struct process *p)
{
    const struct proc_scan *scan = arg;
    const struct session_list *list = scan->list;
    if (clock_monotonic_ms() >= scan->deadline_ms)
        return true;
    for (size_t i = first_of(list, p->pid); i < list->count && list->items[i].pid == p->pid; i++)
        scan->searches[i].monitor_was_seen =
            scan->searches[i].monitor_was_seen || list->items[i].start_ticks == p->start_ticks;
    if (p->session == p->pid)
        return false;
    for (size_t i = first_of(list, p->session); i < list->count && list->items[i].pid == p->session;
         i++)
        choose_orphan(&list->items[i], &scan->searches[i], p);
    return false;
}

/* Whether the scan has not seen a monitor that is alive: then it may not have seen others. */
static bool missed_any(const struct proc_scan *scan)
{
    for (size_t i = 0; i < scan->list->count; i++) {
        const struct session *s = &scan->list->items[i];
        bool has_monitor = s->orphan == 0 && s->start_ticks != 0 && s->unseen_why != EXDEV;
        if (has_monitor && !scan->searches[i].monitor_was_seen &&
            process_is(s->pid, s->start_ticks) != SIGHT_IS_NOT)
            return true;
    }
    return false;
}

int liveness_find_orphans(struct session_list *list, int64_t deadline_ms)
{
    struct proc_scan scan = {.list = list,
                             .deadline_ms = deadline_ms,
                             .searches = calloc(list->count, sizeof(*scan.searches))};
    if (scan.searches == NULL)
        return -1;
    enum sight sight = process_each(visit, &scan);
    int why = sight == SIGHT_IS ? ETIMEDOUT : errno;
    bool all_seen = sight == SIGHT_IS_NOT;
    if (all_seen && missed_any(&scan)) {
        all_seen = false;
        why = ENOENT;
    }
    for (size_t i = 0; i < list->count && !all_seen; i++) {
        struct session *s = &list->items[i];
        if (s->orphan != ORPHAN_SOUGHT)
            continue;
        s->orphan = 0;
        session_set_unseen(s, why);
    }
    free(scan.searches);
    return 0;
}
