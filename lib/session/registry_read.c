/* SPDX-License-Identifier: ISC */
#include "lib/session/registry_read.h"

#include "lib/base/array.h"
#include "lib/base/clock.h"
#include "lib/session/entry.h"
#include "lib/session/liveness.h"
#include "lib/session/process.h"
#include "lib/session/registry_names.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

struct registry_scan {
    const struct registry *r;
    int64_t lease_id;   /* 0: all */
    bool with_openings; /* read the entries whose lease is not known yet, too */
    int64_t deadline_ms;
    struct session_list list;
    size_t item_cap, dead_cap;
    struct entry_id *names; /* that were seen */
    size_t name_count, name_cap;
    size_t leaderless;
    bool must_read_all; /* open an entry also if its pid is unused here: it may be of another
                           namespace */
    bool marked_ours, marked_other; /* which namespaces have made entries */
    bool judged_by_name;
};

static int compare(const void *a, const void *b)
{
    const struct session *x = a, *y = b;
    if (x->pid != y->pid)
        return x->pid < y->pid ? -1 : 1;
    if (x->start_ticks != y->start_ticks)
        return x->start_ticks < y->start_ticks ? -1 : 1;
    return (int)y->open - (int)x->open; /* the open entry first: it says more */
}

/* Owns *s from here on, also when it fails. */
static int add_session(struct registry_scan *scan, struct session *s)
{
    struct session_list *list = &scan->list;
    struct session *items = array_grow(list->items, list->count, &scan->item_cap, sizeof(*items),
                                       REGISTRY_SESSIONS_MAX);
    if (items == NULL) {
        session_release(s);
        return -1;
    }
    list->items = items;
    list->items[list->count++] = *s;
    return 0;
}

static int add_dead(struct registry_scan *scan, const struct session *s)
{
    struct session_list *list = &scan->list;
    struct dead_entry *dead = array_grow(list->dead, list->dead_count, &scan->dead_cap,
                                         sizeof(*dead), REGISTRY_NAMES_MAX);
    if (dead == NULL)
        return -1;
    list->dead = dead;
    list->dead[list->dead_count++] = (struct dead_entry){
        .id = {.lease_id = s->lease_id, .pid = s->pid}, .start_ticks = s->start_ticks};
    return 0;
}

static int add_name(struct registry_scan *scan, const struct entry_id *id)
{
    struct entry_id *names = array_grow(scan->names, scan->name_count, &scan->name_cap,
                                        sizeof(*names), REGISTRY_NAMES_MAX);
    if (names == NULL)
        return -1;
    scan->names = names;
    scan->names[scan->name_count++] = *id;
    return 0;
}

/* No process and no process group has this pid here. */
static bool is_unused(pid_t pid)
{
    return process_answers(pid) == SIGHT_IS_NOT && process_group_answers(pid) == SIGHT_IS_NOT;
}

/* Adds an entry to the sessions or to the dead. If its monitor is gone but its process group is
 * not, it becomes ORPHAN_SOUGHT, and find_orphans judges it. */
static int judge_entry(struct registry_scan *scan, const struct entry_id *id, bool by_name)
{
    struct session s = {.pid = id->pid, .lease_id = id->lease_id, .open = id->lease_id != 0};
    int rc = 0;
    if (clock_monotonic_ms() >= scan->deadline_ms) {
        errno = ETIMEDOUT;
        return -1;
    }
    if (by_name && is_unused(id->pid)) {
        scan->judged_by_name = true;
        return add_dead(scan, &s);
    }
    switch (entry_read(scan->r, id->lease_id, id->pid, &s)) {
    case SIGHT_IS:
        break;
    case SIGHT_IS_NOT:
        return 0;
    case SIGHT_CANNOT_TELL:
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
            return -1; /* with more descriptors or memory it could be read */
        session_set_unseen(&s, errno);
        return add_session(scan, &s);
    }
    switch (liveness_judge(&scan->r->here, &s)) {
    case LIVENESS_DEAD:
        rc = add_dead(scan, &s);
        session_release(&s);
        return rc;
    case LIVENESS_LEADERLESS:
        s.orphan = ORPHAN_SOUGHT;
        scan->leaderless++;
        break;
    case LIVENESS_LIVE:
    case LIVENESS_UNSEEN:
        break;
    }
    return add_session(scan, &s);
}

static bool is_wanted(const struct registry_scan *scan, const struct entry_id *id)
{
    if (id->lease_id == 0)
        return scan->with_openings;
    return scan->lease_id == 0 || id->lease_id == scan->lease_id;
}

/* One pass over the directory. Skips the names that an earlier pass has seen. */
static int scan_once(struct registry_scan *scan)
{
    const size_t before = scan->name_count;
    int rc = 0;
    if (before > 1)
        qsort(scan->names, before, sizeof(scan->names[0]), entry_id_compare);
    DIR *dir = entries_open(scan->r);
    if (dir == NULL)
        return -1;
    while (rc == 0) {
        struct entry_id id;
        uint64_t space;
        errno = 0;
        const struct dirent *e = readdir(dir);
        if (e == NULL) {
            rc = errno == 0 ? 0 : -1;
            break;
        }
        if (namespace_mark_parse(e->d_name, &space)) {
            scan->marked_ours = scan->marked_ours || space == scan->r->here.pid_namespace;
            scan->marked_other = scan->marked_other || space != scan->r->here.pid_namespace;
        }
        if (!entry_name_parse(e->d_name, &id) || !is_wanted(scan, &id) ||
            (before > 0 &&
             bsearch(&id, scan->names, before, sizeof(scan->names[0]), entry_id_compare) != NULL))
            continue;
        rc = add_name(scan, &id);
        if (rc == 0)
            rc = judge_entry(scan, &id, !scan->must_read_all && before == 0);
    }
    int saved = errno;
    (void)closedir(dir);
    errno = saved;
    return rc;
}

/* Leaves one item for each session, though both of its names may have been read. */
static void remove_duplicates(struct session_list *list)
{
    size_t kept = 0;
    if (list->count > 1)
        qsort(list->items, list->count, sizeof(list->items[0]), compare);
    for (size_t i = 0; i < list->count; i++) {
        const struct session *last = kept > 0 ? &list->items[kept - 1] : NULL;
        if (last != NULL && last->pid == list->items[i].pid &&
            last->start_ticks == list->items[i].start_ticks)
            session_release(&list->items[i]);
        else
            list->items[kept++] = list->items[i];
    }
    list->count = kept;
}

/* Moves sessions of which no process is left to the dead. The list must be sorted. Returns 0, or -1
 * with errno. */
static int find_orphans(struct registry_scan *scan)
{
    struct session_list *list = &scan->list;
    size_t kept = 0;
    int rc = 0;
    if (liveness_find_orphans(list, scan->deadline_ms) != 0)
        return -1;
    for (size_t i = 0; i < list->count; i++) {
        struct session *s = &list->items[i];
        if (s->orphan != ORPHAN_SOUGHT) {
            list->items[kept++] = *s;
            continue;
        }
        rc = rc == 0 ? add_dead(scan, s) : rc;
        session_release(s);
    }
    list->count = kept;
    return rc;
}

static void count_unseen(struct session_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].sight == SESSION_UNSEEN) {
            list->unseen++;
            list->unseen_why = list->items[i].unseen_why;
        }
}

static void restart(struct registry_scan *scan)
{
    session_list_release(&scan->list);
    free(scan->names);
    *scan = (struct registry_scan){.r = scan->r,
                                   .lease_id = scan->lease_id,
                                   .with_openings = scan->with_openings,
                                   .deadline_ms = scan->deadline_ms,
                                   .must_read_all = true};
}

/*
 * Two passes. readdir(3) may show neither name of a session that opens meanwhile; since a session
 * opens only once, the second pass sees its new name. And the second pass sees the namespace mark
 * of every process whose entry the first pass saw. For open sessions alone one pass is enough: in a
 * lease whose lock is held no session opens, and without the lock nothing is promised.
 */
static int scan_all(struct registry_scan *scan)
{
    int rc = scan_once(scan);
    if (rc == 0 && scan->with_openings)
        rc = scan_once(scan);
    return rc;
}

static int read_sessions(struct registry_scan *scan, struct session_list *ret)
{
    int rc = scan_all(scan);
    if (rc == 0 && scan->judged_by_name && (scan->marked_other || !scan->marked_ours)) {
        restart(scan);
        rc = scan_all(scan);
    }
    if (rc == 0) {
        remove_duplicates(&scan->list);
        rc = scan->leaderless > 0 ? find_orphans(scan) : 0;
    }
    int saved = errno;
    free(scan->names);
    if (rc != 0) {
        session_list_release(&scan->list);
        errno = saved;
        return -1;
    }
    count_unseen(&scan->list);
    if (scan->list.dead_count > 1)
        qsort(scan->list.dead, scan->list.dead_count, sizeof(scan->list.dead[0]), entry_id_compare);
    *ret = scan->list;
    return 0;
}

int registry_read(const struct registry *r, int64_t lease_id, struct session_list *ret)
{
    struct registry_scan scan = {
        .r = r, .lease_id = lease_id, .with_openings = true, .deadline_ms = INT64_MAX};
    return read_sessions(&scan, ret);
}

int registry_read_open(const struct registry *r, int64_t lease_id, int64_t deadline_ms,
                       struct session_list *ret)
{
    struct registry_scan scan = {.r = r, .lease_id = lease_id, .deadline_ms = deadline_ms};
    return read_sessions(&scan, ret);
}
