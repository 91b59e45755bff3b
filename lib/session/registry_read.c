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

struct reading {
    const struct registry *r;
    int64_t lease_id;   /* 0: any */
    bool with_openings; /* those whose lease is not known yet */
    int64_t deadline_ms;
    struct session_list list;
    size_t item_cap, dead_cap;
    struct entry_id *names; /* that were met */
    size_t name_count, name_cap;
    size_t leaderless;
    bool opens_all;                 /* a number that nobody has may be another namespace's */
    bool marked_ours, marked_other; /* who has made entries */
    bool judged_by_name;
};

static int compare(const void *a, const void *b)
{
    const struct session *x = a, *y = b;
    if (x->pid != y->pid)
        return x->pid < y->pid ? -1 : 1;
    if (x->start_ticks != y->start_ticks)
        return x->start_ticks < y->start_ticks ? -1 : 1;
    return (int)y->open - (int)x->open; /* the entry that says more first */
}

/* Takes s over. */
static int add_session(struct reading *in, struct session *s)
{
    struct session_list *list = &in->list;
    struct session *items =
        array_grow(list->items, list->count, &in->item_cap, sizeof(*items), REGISTRY_SESSIONS_MAX);
    if (items == NULL) {
        session_release(s);
        return -1;
    }
    list->items = items;
    list->items[list->count++] = *s;
    return 0;
}

static int add_dead(struct reading *in, const struct session *s)
{
    struct session_list *list = &in->list;
    struct dead_entry *dead =
        array_grow(list->dead, list->dead_count, &in->dead_cap, sizeof(*dead), REGISTRY_NAMES_MAX);
    if (dead == NULL)
        return -1;
    list->dead = dead;
    list->dead[list->dead_count++] = (struct dead_entry){
        .id = {.lease_id = s->lease_id, .pid = s->pid}, .start_ticks = s->start_ticks};
    return 0;
}

static int add_name(struct reading *in, const struct entry_id *id)
{
    struct entry_id *names =
        array_grow(in->names, in->name_count, &in->name_cap, sizeof(*names), REGISTRY_NAMES_MAX);
    if (names == NULL)
        return -1;
    in->names = names;
    in->names[in->name_count++] = *id;
    return 0;
}

/* Neither a process nor a group has the number here. */
static bool is_unused(pid_t pid)
{
    return process_answers(pid) == SIGHT_IS_NOT && process_group_answers(pid) == SIGHT_IS_NOT;
}

/* Judged, or to be judged by the walk. */
static int take_entry(struct reading *in, const struct entry_id *id, bool by_name)
{
    struct session s = {.pid = id->pid, .lease_id = id->lease_id, .open = id->lease_id != 0};
    int rc = 0;
    if (clock_monotonic_ms() >= in->deadline_ms) {
        errno = ETIMEDOUT;
        return -1;
    }
    if (by_name && is_unused(id->pid)) {
        in->judged_by_name = true;
        return add_dead(in, &s);
    }
    switch (entry_read(in->r, id->lease_id, id->pid, &s)) {
    case SIGHT_IS:
        break;
    case SIGHT_IS_NOT:
        return 0;
    case SIGHT_CANNOT_TELL:
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
            return -1; /* what it says would be known with more room */
        session_set_unseen(&s, errno);
        return add_session(in, &s);
    }
    switch (liveness_judge(&in->r->here, &s)) {
    case LIVENESS_DEAD:
        rc = add_dead(in, &s);
        session_release(&s);
        return rc;
    case LIVENESS_LEADERLESS:
        s.orphan = ORPHAN_SOUGHT;
        in->leaderless++;
        break;
    case LIVENESS_LIVE:
    case LIVENESS_UNSEEN:
        break;
    }
    return add_session(in, &s);
}

static bool is_wanted(const struct reading *in, const struct entry_id *id)
{
    if (id->lease_id == 0)
        return in->with_openings;
    return in->lease_id == 0 || id->lease_id == in->lease_id;
}

/* One pass over the directory. A name that was met already is not looked at again. */
static int read_once(struct reading *in)
{
    const size_t before = in->name_count;
    int rc = 0;
    if (before > 1)
        qsort(in->names, before, sizeof(in->names[0]), entry_id_compare);
    DIR *dir = entries_open(in->r);
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
            in->marked_ours = in->marked_ours || space == in->r->here.pid_namespace;
            in->marked_other = in->marked_other || space != in->r->here.pid_namespace;
        }
        if (!entry_name_parse(e->d_name, &id) || !is_wanted(in, &id) ||
            (before > 0 &&
             bsearch(&id, in->names, before, sizeof(in->names[0]), entry_id_compare) != NULL))
            continue;
        rc = add_name(in, &id);
        if (rc == 0)
            rc = take_entry(in, &id, !in->opens_all && before == 0);
    }
    int saved = errno;
    (void)closedir(dir);
    errno = saved;
    return rc;
}

/* One entry a session, though both of its names may have been read. */
static void remove_doubles(struct session_list *list)
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

/* Those of which no child is left are dead. The list is sorted. 0, or -1 with errno set. */
static int find_orphans(struct reading *in)
{
    struct session_list *list = &in->list;
    size_t kept = 0;
    int rc = 0;
    if (liveness_find_orphans(list, in->deadline_ms) != 0)
        return -1;
    for (size_t i = 0; i < list->count; i++) {
        struct session *s = &list->items[i];
        if (s->orphan != ORPHAN_SOUGHT) {
            list->items[kept++] = *s;
            continue;
        }
        rc = rc == 0 ? add_dead(in, s) : rc;
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

static void begin_anew(struct reading *in)
{
    session_list_release(&in->list);
    free(in->names);
    *in = (struct reading){.r = in->r,
                           .lease_id = in->lease_id,
                           .with_openings = in->with_openings,
                           .deadline_ms = in->deadline_ms,
                           .opens_all = true};
}

/*
 * Twice: readdir(3) may meet neither name of a session that settles meanwhile, and a session does
 * so once. What the second pass is for has a name that the first did not meet. And the second one
 * meets the mark of whoever had made what the first met. But nobody settles in a lease whose lock
 * is held, and of the open ones alone nothing else is promised.
 */
static int read_all(struct reading *in)
{
    int rc = read_once(in);
    if (rc == 0 && in->with_openings)
        rc = read_once(in);
    return rc;
}

static int read_sessions(struct reading *in, struct session_list *ret)
{
    int rc = read_all(in);
    if (rc == 0 && in->judged_by_name && (in->marked_other || !in->marked_ours)) {
        begin_anew(in);
        rc = read_all(in);
    }
    if (rc == 0) {
        remove_doubles(&in->list);
        rc = in->leaderless > 0 ? find_orphans(in) : 0;
    }
    int saved = errno;
    free(in->names);
    if (rc != 0) {
        session_list_release(&in->list);
        errno = saved;
        return -1;
    }
    count_unseen(&in->list);
    if (in->list.dead_count > 1)
        qsort(in->list.dead, in->list.dead_count, sizeof(in->list.dead[0]), entry_id_compare);
    *ret = in->list;
    return 0;
}

int registry_read(const struct registry *r, int64_t lease_id, struct session_list *ret)
{
    struct reading in = {
        .r = r, .lease_id = lease_id, .with_openings = true, .deadline_ms = INT64_MAX};
    return read_sessions(&in, ret);
}

int registry_read_open(const struct registry *r, int64_t lease_id, int64_t deadline_ms,
                       struct session_list *ret)
{
    struct reading in = {.r = r, .lease_id = lease_id, .deadline_ms = deadline_ms};
    return read_sessions(&in, ret);
}
