/* SPDX-License-Identifier: ISC */
#include "lib/session/registry.h"

#include "lib/base/array.h"
#include "lib/base/clock.h"
#include "lib/session/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    ENTRY_NAME_BYTES = 48,
    LOCK_RETRY_MS = 2,
    REMOVED_AT_ONCE = 100, /* under one lock, for which newcomers wait */
};

static void entry_name(int64_t lease_id, pid_t pid, char out[static ENTRY_NAME_BYTES])
{
    (void)snprintf(out, ENTRY_NAME_BYTES, "%" PRId64 ".%d", lease_id, (int)pid);
}

/* ---- opening ---- */

static int open_directory(int at, const char *path, struct stat *ret)
{
    int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -1;
    if (fstat(fd, ret) == 0 && (ret->st_uid == 0 || ret->st_uid == geteuid()) &&
        (ret->st_mode & (S_IWGRP | S_IWOTH)) == 0)
        return fd;
    (void)close(fd);
    errno = EPERM;
    return -1;
}

int registry_open(const char *run_dir, bool for_writing, struct registry *ret)
{
    struct registry r = REGISTRY_CLOSED;
    struct stat run, sessions, locks;
    int saved, rc = -1;
    int run_fd = open_directory(AT_FDCWD, run_dir, &run);

    if (run_fd < 0)
        return -1;
    r.sessions_fd = open_directory(run_fd, "sessions", &sessions);
    if (r.sessions_fd < 0)
        goto out;
    r.lock_fd = open_directory(run_fd, "lock", &locks);
    if (r.lock_fd < 0 && for_writing)
        goto out;
    r.owner = sessions.st_uid;
    r.group = sessions.st_gid;
    origin_read(&r.here);
    *ret = r;
    r = REGISTRY_CLOSED;
    rc = 0;
out:
    saved = errno;
    registry_close(&r);
    (void)close(run_fd);
    errno = saved;
    return rc;
}

void registry_close(struct registry *r)
{
    if (r->sessions_fd >= 0)
        (void)close(r->sessions_fd);
    if (r->lock_fd >= 0)
        (void)close(r->lock_fd);
    *r = REGISTRY_CLOSED;
}

/* Whether the name still is that of the open file: registry_forget may have taken it away. */
static bool is_current(const struct registry *r, const char *name, int fd)
{
    struct stat by_name, by_fd;
    return fstatat(r->lock_fd, name, &by_name, AT_SYMLINK_NOFOLLOW) == 0 &&
           fstat(fd, &by_fd) == 0 && by_name.st_ino == by_fd.st_ino;
}

/* Tried again and again: flock(2) itself would wait without an end. */
static int lock_file(const struct registry *r, int64_t lease_id, int how, int64_t deadline_ms)
{
    char name[ENTRY_NAME_BYTES];
    int saved, fd = -1;
    (void)snprintf(name, sizeof(name), "%" PRId64, lease_id);
    for (;;) {
        if (fd < 0)
            fd = openat(r->lock_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
                        0600);
        if (fd < 0)
            return -1;
        bool locked = flock(fd, how | LOCK_NB) == 0;
        if (locked && is_current(r, name, fd))
            return fd;
        if (!locked && errno != EWOULDBLOCK && errno != EINTR)
            break;
        if (locked) {
            (void)close(fd);
            fd = -1;
        }
        if (clock_monotonic_ms() >= deadline_ms) {
            errno = ETIMEDOUT;
            break;
        }
        if (!locked)
            (void)poll(NULL, 0, LOCK_RETRY_MS);
    }
    saved = errno;
    if (fd >= 0)
        (void)close(fd);
    errno = saved;
    return -1;
}

int registry_lock(const struct registry *r, int64_t lease_id, int64_t deadline_ms)
{
    return lock_file(r, lease_id, LOCK_EX, deadline_ms);
}

int registry_lock_shared(const struct registry *r, int64_t lease_id, int64_t deadline_ms)
{
    return lock_file(r, lease_id, LOCK_SH, deadline_ms);
}

void registry_forget(const struct registry *r, int64_t lease_id)
{
    char name[ENTRY_NAME_BYTES];
    int lock = registry_lock(r, lease_id, 0);
    if (lock < 0)
        return;
    (void)snprintf(name, sizeof(name), "%" PRId64 ".narrowed", lease_id);
    (void)unlinkat(r->lock_fd, name, 0);
    (void)snprintf(name, sizeof(name), "%" PRId64, lease_id);
    (void)unlinkat(r->lock_fd, name, 0);
    (void)close(lock);
}

/* ---- writing ---- */

/* A new file of that name, whole; the umask of whoever we run in changes nothing. What no reader
 * would take for an entry is none: its session could not be found, and so not be ended. */
static int write_entry(const struct registry *r, const char *name, const struct session *s)
{
    char text[REGISTRY_ENTRY_BYTES];
    struct session again, here = *s;
    int saved;

    here.origin = r->here;
    size_t len = session_format(&here, text);
    if (len == 0 || session_parse(text, len, &again) != 0) {
        errno = EINVAL;
        return -1;
    }
    session_release(&again);
    int fd =
        openat(r->sessions_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    errno = EIO; /* a short write sets none */
    if (fchown(fd, (uid_t)-1, r->group) == 0 && write(fd, text, len) == (ssize_t)len &&
        fchmod(fd, 0640) == 0) {
        (void)close(fd);
        return 0;
    }
    saved = errno;
    (void)close(fd);
    (void)unlinkat(r->sessions_fd, name, 0);
    errno = saved;
    return -1;
}

/* Before there is any entry that it speaks of. */
static int mark_namespace(const struct registry *r)
{
    char name[ENTRY_NAME_BYTES];
    (void)snprintf(name, sizeof(name), ".%" PRIu64 ".ns", r->here.pid_namespace);
    int fd =
        openat(r->sessions_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (fd < 0)
        return errno == EEXIST ? 0 : -1;
    (void)close(fd);
    return 0;
}

static enum sight read_entry(const struct registry *r, int64_t lease_id, pid_t pid,
                             struct session *ret);

/* Whether what has the name is of another pid namespace: it may live, and is found by it alone. */
static bool is_of_another(const struct registry *r, int64_t lease_id, pid_t pid)
{
    struct session there;
    if (read_entry(r, lease_id, pid, &there) != SIGHT_IS)
        return false;
    bool is = origin_is_here(&r->here, &there.origin, there.since_s) == SIGHT_CANNOT_TELL;
    session_release(&there);
    return is;
}

/* Written beside and moved: who reads finds a name with all that belongs to it, or no name. */
static int put_entry(const struct registry *r, const char *name, const struct session *s)
{
    char beside[ENTRY_NAME_BYTES + 8];
    if (is_of_another(r, s->lease_id, s->pid)) {
        errno = EEXIST;
        return -1;
    }
    (void)snprintf(beside, sizeof(beside), ".%s", name);
    (void)unlinkat(r->sessions_fd, beside, 0); /* of a process that had this pid before */
    if (mark_namespace(r) != 0 || write_entry(r, beside, s) != 0)
        return -1;
    if (renameat(r->sessions_fd, beside, r->sessions_fd, name) == 0)
        return 0;
    int saved = errno;
    (void)unlinkat(r->sessions_fd, beside, 0);
    errno = saved;
    return -1;
}

int registry_enter(const struct registry *r, const struct session *s, int64_t deadline_ms)
{
    char name[ENTRY_NAME_BYTES];
    /* Against who takes the dead one of this pid away. */
    int lock = registry_lock_shared(r, 0, deadline_ms);
    if (lock < 0)
        return -1;
    entry_name(0, s->pid, name);
    int rc = put_entry(r, name, s);
    int saved = errno;
    (void)close(lock);
    errno = saved;
    return rc;
}

int registry_settle(const struct registry *r, const struct session *s)
{
    char name[ENTRY_NAME_BYTES], opening[ENTRY_NAME_BYTES];
    entry_name(s->lease_id, s->pid, name);
    entry_name(0, s->pid, opening);
    if (put_entry(r, name, s) != 0)
        return -1;
    (void)unlinkat(r->sessions_fd, opening, 0);
    return 0;
}

static void leave(const struct registry *r, int64_t lease_id, pid_t pid)
{
    char name[ENTRY_NAME_BYTES];
    entry_name(lease_id, pid, name);
    if (!is_of_another(r, lease_id, pid))
        (void)unlinkat(r->sessions_fd, name, 0);
}

void registry_leave(const struct registry *r, int64_t lease_id, pid_t pid)
{
    leave(r, 0, pid);
    if (lease_id != 0)
        leave(r, lease_id, pid);
}

/* ---- reading ---- */

/* LEASEID.PID. Names that begin with a dot are on their way. */
static bool parse_name(const char *name, int64_t *ret_lease_id, pid_t *ret_pid)
{
    char *end;
    if (name[0] < '0' || name[0] > '9' || (name[0] == '0' && name[1] != '.'))
        return false;
    errno = 0;
    long long id = strtoll(name, &end, 10);
    if (errno != 0 || *end != '.' || end[1] < '1' || end[1] > '9')
        return false;
    long pid = strtol(end + 1, &end, 10);
    if (errno != 0 || *end != '\0' || pid > 1L << 22)
        return false;
    *ret_lease_id = id;
    *ret_pid = (pid_t)pid;
    return true;
}

/* .NUMBER.ns */
static bool parse_namespace(const char *name, uint64_t *ret)
{
    char *end;
    if (name[0] != '.' || name[1] < '0' || name[1] > '9')
        return false;
    *ret = strtoull(name + 1, &end, 10);
    return strcmp(end, ".ns") == 0;
}

/* SIGHT_IS_NOT: no entry by that name, or none that one could be. */
static enum sight read_entry(const struct registry *r, int64_t lease_id, pid_t pid,
                             struct session *ret)
{
    char name[ENTRY_NAME_BYTES], text[REGISTRY_ENTRY_BYTES];
    struct stat st;
    struct session s;
    ssize_t n = 0;
    int why = 0;

    entry_name(lease_id, pid, name);
    int fd = openat(r->sessions_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ELOOP || errno == ENXIO ? SIGHT_IS_NOT
                                                                   : SIGHT_CANNOT_TELL;
    if (fstat(fd, &st) != 0)
        why = errno;
    else if (S_ISREG(st.st_mode) && st.st_uid == r->owner)
        n = read(fd, text, sizeof(text));
    why = n < 0 ? errno : why;
    (void)close(fd);
    errno = why;
    if (why != 0)
        return SIGHT_CANNOT_TELL;
    if (n == 0 || session_parse(text, (size_t)n, &s) != 0)
        return SIGHT_IS_NOT;
    if (s.pid != pid || s.lease_id != lease_id) {
        session_release(&s);
        return SIGHT_IS_NOT;
    }
    *ret = s;
    return SIGHT_IS;
}

const char *session_unseen_reason(int unseen_why)
{
    switch (unseen_why) {
    case EXDEV:
        return "it is of another pid namespace, such as a container's";
    case ENOENT:
    case EPERM:
    case EACCES:
        return "/proc hides it (hidepid)";
    default:
        return strerror(unseen_why);
    }
}

enum verdict {
    IS_LIVE,
    IS_DEAD,
    IS_UNSEEN,
    IS_LEADERLESS, /* its monitor is gone, and its process group is not: a walk will tell */
};

static enum verdict unseen(struct session *s, int why)
{
    s->sight = SESSION_UNSEEN;
    s->unseen_why = why;
    return IS_UNSEEN;
}

/* Whether the session is there, by its monitor or a child that is left of it. */
static enum verdict judge(const struct registry *r, struct session *s)
{
    struct process p;
    switch (origin_is_here(&r->here, &s->origin, s->since_s)) {
    case SIGHT_IS:
        break;
    case SIGHT_IS_NOT:
        return IS_DEAD;
    case SIGHT_CANNOT_TELL:
        return unseen(s, errno);
    }
    switch (process_read_stat(s->pid, &p)) {
    case SIGHT_IS:
        /* A number is given to no other process while a group or a session has it. */
        if (p.start_ticks != s->start_ticks)
            return IS_DEAD;
        if (!process_has_ended(&p))
            return IS_LIVE;
        break;
    case SIGHT_IS_NOT:
        break;
    case SIGHT_CANNOT_TELL:
        return unseen(s, errno);
    }
    /* sshd's monitor leads a group, which its child stays in. */
    switch (process_group_answers(s->pid)) {
    case SIGHT_IS:
        return IS_LEADERLESS;
    case SIGHT_IS_NOT:
        return IS_DEAD;
    case SIGHT_CANNOT_TELL:
        break;
    }
    return unseen(s, errno);
}

/* ---- one look at all ---- */

struct entry_id {
    int64_t lease_id;
    pid_t pid;
};

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

enum { ORPHAN_SOUGHT = -1 }; /* in session.orphan, until the walk */

static int compare_id(const void *a, const void *b)
{
    const struct entry_id *x = a, *y = b;
    if (x->lease_id != y->lease_id)
        return x->lease_id < y->lease_id ? -1 : 1;
    return (x->pid > y->pid) - (x->pid < y->pid);
}

static int compare_dead(const void *a, const void *b)
{
    const struct dead_entry *x = a, *y = b;
    if (x->lease_id != y->lease_id)
        return x->lease_id < y->lease_id ? -1 : 1;
    return (x->pid > y->pid) - (x->pid < y->pid);
}

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
    list->dead[list->dead_count++] =
        (struct dead_entry){.lease_id = s->lease_id, .pid = s->pid, .start_ticks = s->start_ticks};
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
    switch (read_entry(in->r, id->lease_id, id->pid, &s)) {
    case SIGHT_IS:
        break;
    case SIGHT_IS_NOT:
        return 0;
    case SIGHT_CANNOT_TELL:
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
            return -1; /* what it says would be known with more room */
        (void)unseen(&s, errno);
        return add_session(in, &s);
    }
    switch (judge(in->r, &s)) {
    case IS_DEAD:
        rc = add_dead(in, &s);
        session_release(&s);
        return rc;
    case IS_LEADERLESS:
        s.orphan = ORPHAN_SOUGHT;
        in->leaderless++;
        break;
    case IS_LIVE:
    case IS_UNSEEN:
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

static DIR *open_entries(const struct registry *r)
{
    int fd = openat(r->sessions_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (dir == NULL && fd >= 0)
        (void)close(fd);
    return dir;
}

/* One pass over the directory. A name that was met already is not looked at again. */
static int read_once(struct reading *in)
{
    const size_t before = in->name_count;
    int rc = 0;
    if (before > 1)
        qsort(in->names, before, sizeof(in->names[0]), compare_id);
    DIR *dir = open_entries(in->r);
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
        if (parse_namespace(e->d_name, &space)) {
            in->marked_ours = in->marked_ours || space == in->r->here.pid_namespace;
            in->marked_other = in->marked_other || space != in->r->here.pid_namespace;
        }
        if (!parse_name(e->d_name, &id.lease_id, &id.pid) || !is_wanted(in, &id) ||
            (before > 0 &&
             bsearch(&id, in->names, before, sizeof(in->names[0]), compare_id) != NULL))
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

/* ---- the walk: for those whose monitor is gone, and whose group is not ---- */

struct walk {
    struct session_list *list;
    int64_t deadline_ms;
    bool *met; /* the process of list->items[i] */
};

/* The first of the list with that pid, or its end. */
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

/* A child that outlived its monitor: in the monitor's session, and the login's. */
static bool meet(void *arg, const struct process *p)
{
    const struct walk *w = arg;
    const struct session_list *list = w->list;
    if (clock_monotonic_ms() >= w->deadline_ms)
        return true;
    for (size_t i = first_of(list, p->pid); i < list->count && list->items[i].pid == p->pid; i++)
        w->met[i] = w->met[i] || list->items[i].start_ticks == p->start_ticks;
    if (p->session == p->pid || process_has_ended(p))
        return false;
    for (size_t i = first_of(list, p->session); i < list->count && list->items[i].pid == p->session;
         i++) {
        struct session *s = &list->items[i];
        if (s->orphan == ORPHAN_SOUGHT && p->uid == s->uid && p->start_ticks >= s->start_ticks)
            s->orphan = p->pid;
    }
    return false;
}

/* Whether one that answers was not met: then there is more than what was. */
static bool missed_any(const struct walk *w)
{
    for (size_t i = 0; i < w->list->count; i++) {
        const struct session *s = &w->list->items[i];
        bool has_monitor = s->orphan == 0 && s->start_ticks != 0 && s->unseen_why != EXDEV;
        if (has_monitor && !w->met[i] && process_is(s->pid, s->start_ticks) != SIGHT_IS_NOT)
            return true;
    }
    return false;
}

/* The list is sorted. 0, or -1 with errno set. */
static int find_orphans(struct reading *in)
{
    struct session_list *list = &in->list;
    struct walk w = {
        .list = list, .deadline_ms = in->deadline_ms, .met = calloc(list->count, sizeof(*w.met))};
    size_t kept = 0;
    int rc = 0;
    if (w.met == NULL)
        return -1;
    enum sight sight = process_each(meet, &w);
    int why = sight == SIGHT_IS ? ETIMEDOUT : errno;
    bool all_met = sight == SIGHT_IS_NOT;
    if (all_met && missed_any(&w)) {
        all_met = false;
        why = ENOENT;
    }
    for (size_t i = 0; i < list->count; i++) {
        struct session *s = &list->items[i];
        bool is_lost = s->orphan == ORPHAN_SOUGHT;
        s->orphan = is_lost ? 0 : s->orphan;
        if (is_lost && all_met) {
            rc = rc == 0 ? add_dead(in, s) : rc;
            session_release(s);
            continue;
        }
        if (is_lost)
            (void)unseen(s, why);
        list->items[kept++] = *s;
    }
    list->count = kept;
    free(w.met);
    return rc;
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
    for (size_t i = 0; i < in->list.count; i++)
        if (in->list.items[i].sight == SESSION_UNSEEN) {
            in->list.unseen++;
            in->list.unseen_why = in->list.items[i].unseen_why;
        }
    if (in->list.dead_count > 1)
        qsort(in->list.dead, in->list.dead_count, sizeof(in->list.dead[0]), compare_dead);
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

enum sight registry_has_room(const struct registry *r, int64_t lease_id, size_t max,
                             int64_t deadline_ms, struct session_list *ret)
{
    size_t names = 0;
    int64_t id;
    pid_t pid;
    DIR *dir = open_entries(r);
    if (dir == NULL)
        return SIGHT_CANNOT_TELL;
    errno = 0;
    for (const struct dirent *e; names < max && (e = readdir(dir)) != NULL;)
        names += parse_name(e->d_name, &id, &pid) && id == lease_id;
    int why = errno;
    (void)closedir(dir);
    if (names < max && why == 0) {
        *ret = (struct session_list){.items = NULL};
        return SIGHT_IS;
    }
    if (registry_read_open(r, lease_id, deadline_ms, ret) != 0)
        return SIGHT_CANNOT_TELL;
    return ret->count < max ? SIGHT_IS : SIGHT_IS_NOT;
}

/* ---- clearing ---- */

static bool may_remove(const struct registry *r)
{
    return r->lock_fd >= 0 && geteuid() == r->owner;
}

/* Under the lock of its lease. Another login may have got the pid since it was found. */
static bool remove_one(const struct registry *r, const struct dead_entry *dead)
{
    char name[ENTRY_NAME_BYTES];
    struct session s;
    bool removed = false;
    if (read_entry(r, dead->lease_id, dead->pid, &s) != SIGHT_IS)
        return false;
    bool is_same = dead->start_ticks != 0 && s.start_ticks == dead->start_ticks;
    switch (judge(r, &s)) {
    case IS_DEAD:
        removed = is_same || dead->start_ticks == 0;
        break;
    case IS_LEADERLESS: /* and the walk found no child that is the login's */
        removed = is_same;
        break;
    case IS_LIVE:
    case IS_UNSEEN:
        break;
    }
    entry_name(dead->lease_id, dead->pid, name);
    removed = removed && unlinkat(r->sessions_fd, name, 0) == 0;
    session_release(&s);
    return removed;
}

size_t registry_remove_dead(const struct registry *r, int64_t lease_id,
                            const struct session_list *list, size_t most)
{
    size_t removed = 0;
    if (!may_remove(r))
        return 0;
    for (size_t i = 0; i < list->dead_count && removed < most; i++)
        removed += list->dead[i].lease_id == lease_id && remove_one(r, &list->dead[i]);
    return removed;
}

/* Whether the entry of that name is the session's own, and not one of another that has its number
 * by now. */
static bool is_entry_of(const struct registry *r, int64_t lease_id, const struct session *s)
{
    struct session there;
    if (read_entry(r, lease_id, s->pid, &there) != SIGHT_IS)
        return false;
    bool is = there.start_ticks == s->start_ticks &&
              there.origin.pid_namespace == s->origin.pid_namespace;
    session_release(&there);
    return is;
}

/* Nobody waits for a lock where there is nothing to be removed. */
static void remove_ended(const struct registry *r, int64_t lease_id, const struct session *s,
                         bool is_held, int64_t deadline_ms)
{
    char name[ENTRY_NAME_BYTES];
    if (!is_entry_of(r, lease_id, s))
        return;
    int lock = is_held ? -1 : registry_lock(r, lease_id, deadline_ms);
    entry_name(lease_id, s->pid, name);
    if (is_held || (lock >= 0 && is_entry_of(r, lease_id, s)))
        (void)unlinkat(r->sessions_fd, name, 0);
    if (lock >= 0)
        (void)close(lock);
}

void registry_remove_ended(const struct registry *r, const struct session *s, bool lease_held,
                           int64_t deadline_ms)
{
    if (!may_remove(r))
        return;
    if (s->lease_id != 0)
        remove_ended(r, s->lease_id, s, lease_held, deadline_ms);
    remove_ended(r, 0, s, false, deadline_ms);
}

size_t registry_clear(const struct registry *r, const struct session_list *list,
                      int64_t deadline_ms)
{
    size_t removed = 0;
    if (!may_remove(r))
        return 0;
    for (size_t i = 0; i < list->dead_count && clock_monotonic_ms() < deadline_ms;) {
        const int64_t lease_id = list->dead[i].lease_id;
        int lock = registry_lock(r, lease_id, 0);
        for (size_t n = 0;
             n < REMOVED_AT_ONCE && i < list->dead_count && list->dead[i].lease_id == lease_id;
             n++, i++)
            removed += lock >= 0 && remove_one(r, &list->dead[i]);
        if (lock >= 0)
            (void)close(lock);
    }
    return removed;
}

/* ---- lists ---- */

void session_list_filter(struct session_list *list,
                         bool (*keep)(void *ctx, const struct session *s), void *ctx)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (keep(ctx, &list->items[i]))
            list->items[kept++] = list->items[i];
        else
            session_release(&list->items[i]);
    }
    list->count = kept;
}

bool session_is_open(void *unused, const struct session *s)
{
    (void)unused;
    return s->open;
}

void session_list_release(struct session_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        session_release(&list->items[i]);
    free(list->items);
    free(list->dead);
    *list = (struct session_list){.items = NULL};
}

int registry_count(const char *run_dir, int64_t lease_id, size_t *ret)
{
    struct registry r;
    struct session_list list;
    if (registry_open(run_dir, false, &r) != 0)
        return -1;
    int rc = registry_read_open(&r, lease_id, INT64_MAX, &list);
    int saved = errno;
    registry_close(&r);
    errno = saved;
    if (rc != 0)
        return -1;
    *ret = list.count;
    session_list_release(&list);
    return 0;
}

bool registry_has_none(const char *run_dir)
{
    struct session_list list = {.items = NULL};
    struct registry r;
    if (registry_open(run_dir, false, &r) != 0)
        return errno == ENOENT;
    bool none = registry_read(&r, 0, &list) == 0 && list.count == 0;
    session_list_release(&list);
    registry_close(&r);
    return none;
}
