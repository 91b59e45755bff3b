/* SPDX-License-Identifier: ISC */
#include "lib/session/strays.h"

#include "lib/base/array.h"
#include "lib/base/clock.h"
#include "lib/session/process.h"
#include "lib/session/registry_read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct candidates {
    const struct stray_logins *logins;
    struct process *items;
    size_t count, cap;
    bool failed;
};

static bool is_login(const struct stray_logins *logins, const struct process *p)
{
    bool is = logins->has_gid && p->gid == logins->gid;
    for (size_t i = 0; i < logins->uid_count && !is; i++)
        is = p->uid == logins->uids[i];
    return is && p->uid != 0;
}

static bool add_candidate(void *arg, const struct process *p)
{
    struct candidates *c = arg;
    if (!is_login(c->logins, p) || process_has_ended(p))
        return false;
    struct process *items = array_grow(c->items, c->count, &c->cap, sizeof(*items), SIZE_MAX);
    c->failed = items == NULL;
    if (c->failed)
        return true;
    c->items = items;
    c->items[c->count++] = *p;
    return false;
}

/* `NSpid:` has a number for each pid namespace, from that of this /proc inwards (proc(5)). */
static bool is_of_other_namespace(pid_t pid)
{
    char path[64], line[256];
    unsigned here, inner;
    bool nested = false;
    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "re");
    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        if (strncmp(line, "NSpid:", 6) == 0) {
            nested = sscanf(line + 6, "%u %u", &here, &inner) == 2;
            break;
        }
    if (f != NULL)
        (void)fclose(f);
    return nested;
}

/* ---- the monitors that have entries ---- */

struct monitors {
    pid_t *items; /* sorted */
    size_t count;
};

static int compare_pid(const void *a, const void *b)
{
    const pid_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Returns 0, or -1: no memory. */
static int list_monitors(const struct session_list *list, struct monitors *ret)
{
    struct monitors m = {.items = calloc(list->count + 1, sizeof(*m.items))};
    if (m.items == NULL)
        return -1;
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].unseen_why != EXDEV) /* else the pid is one of another namespace */
            m.items[m.count++] = list->items[i].pid;
    if (m.count > 1)
        qsort(m.items, m.count, sizeof(*m.items), compare_pid);
    *ret = m;
    return 0;
}

static bool is_monitor(const struct monitors *m, pid_t pid)
{
    return m->count > 0 && bsearch(&pid, m->items, m->count, sizeof(pid), compare_pid) != NULL;
}

/* Removes the processes whose monitor is in the list. The monitor leads the session (setsid(2)) of
 * its child, also after it has died. Returns 0, or -1: no memory. */
static int drop_registered(struct candidates *c, const struct session_list *list)
{
    struct monitors m;
    size_t kept = 0;
    if (list_monitors(list, &m) != 0)
        return -1;
    for (size_t i = 0; i < c->count; i++)
        if (!is_monitor(&m, c->items[i].session) && !is_monitor(&m, c->items[i].parent))
            c->items[kept++] = c->items[i];
    c->count = kept;
    free(m.items);
    return 0;
}

static void drop_other_namespaces(struct candidates *c)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->count; i++)
        if (!is_of_other_namespace(c->items[i].pid))
            c->items[kept++] = c->items[i];
    c->count = kept;
}

/* ---- the scan ---- */

static int compare(const void *a, const void *b)
{
    const struct stray *x = a, *y = b;
    return (x->pid > y->pid) - (x->pid < y->pid);
}

/* Replaces *s by the strays of now, and keeps since when each is known. Returns 0, or -1: no
 * memory. */
static int merge(struct strays *s, const struct candidates *now)
{
    const int64_t now_ms = clock_monotonic_ms();
    struct stray *items = calloc(now->count + 1, sizeof(*items));
    if (items == NULL)
        return -1;
    for (size_t i = 0; i < now->count; i++) {
        const struct stray *before = s->count > 0
                                         ? bsearch(&(struct stray){.pid = now->items[i].pid},
                                                   s->items, s->count, sizeof(*s->items), compare)
                                         : NULL;
        items[i] = (struct stray){.pid = now->items[i].pid,
                                  .start_ticks = now->items[i].start_ticks,
                                  .since_ms = now_ms,
                                  .sightings = 1};
        if (before != NULL && before->start_ticks == items[i].start_ticks) {
            items[i].since_ms = before->since_ms;
            items[i].sightings = before->sightings + 1;
        }
    }
    if (now->count > 1)
        qsort(items, now->count, sizeof(*items), compare);
    free(s->items);
    *s = (struct strays){.items = items, .count = now->count};
    return 0;
}

enum sight strays_scan(struct strays *s, const struct registry *r, const struct session_list *known,
                       const struct stray_logins *logins)
{
    struct candidates c = {.logins = logins};
    struct session_list list = {.items = NULL};
    enum sight ret = SIGHT_CANNOT_TELL;
    enum sight scanned = process_each(add_candidate, &c);
    int why = errno;
    if (c.failed || (known != NULL && drop_registered(&c, known) != 0)) {
        why = ENOMEM;
        goto out;
    }
    /* The registry is read after the scan of /proc, never before it. Without a RunDir nothing was
     * ever registered. */
    if (c.count > 0 && r->sessions_fd >= 0 && registry_read(r, 0, &list) != 0) {
        why = errno;
        goto out;
    }
    if (drop_registered(&c, &list) != 0) {
        why = ENOMEM;
        goto out;
    }
    drop_other_namespaces(&c);
    if (merge(s, &c) != 0) {
        why = ENOMEM;
        goto out;
    }
    if (scanned != SIGHT_CANNOT_TELL)
        ret = s->count > 0 ? SIGHT_IS : SIGHT_IS_NOT;
out:
    session_list_release(&list);
    free(c.items);
    errno = why;
    return ret;
}

bool stray_is_sure(const struct stray *s, int64_t min_ms)
{
    return s->sightings >= 2 && clock_monotonic_ms() - s->since_ms >= min_ms;
}

size_t strays_sure(const struct strays *s, int64_t min_ms)
{
    size_t sure = 0;
    for (size_t i = 0; i < s->count; i++)
        sure += stray_is_sure(&s->items[i], min_ms);
    return sure;
}

void strays_release(struct strays *s)
{
    free(s->items);
    *s = (struct strays){.items = NULL};
}
