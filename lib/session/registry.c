/* SPDX-License-Identifier: ISC */
#include "lib/session/registry.h"

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

int registry_lock(const struct registry *r, int64_t lease_id, int64_t deadline_ms)
{
    char name[ENTRY_NAME_BYTES];
    (void)snprintf(name, sizeof(name), "%" PRId64, lease_id);
    for (;;) {
        int fd =
            openat(r->lock_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
        if (fd < 0)
            return -1;
        /* Tried again and again: flock(2) itself would wait without an end. */
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
            if (is_current(r, name, fd))
                return fd;
        } else if (errno != EWOULDBLOCK && errno != EINTR) {
            int saved = errno;
            (void)close(fd);
            errno = saved;
            return -1;
        }
        (void)close(fd);
        if (clock_monotonic_ms() >= deadline_ms) {
            errno = ETIMEDOUT;
            return -1;
        }
        (void)poll(NULL, 0, LOCK_RETRY_MS);
    }
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
    struct session again;
    size_t len = session_format(s, text);
    int saved;

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

int registry_enter(const struct registry *r, const struct session *s, int64_t deadline_ms)
{
    char name[ENTRY_NAME_BYTES];
    int lock =
        registry_lock(r, 0, deadline_ms); /* against who takes the dead one of this pid away */
    if (lock < 0)
        return -1;
    entry_name(0, s->pid, name);
    (void)unlinkat(r->sessions_fd, name, 0); /* of a process that had this pid before */
    int rc = write_entry(r, name, s);
    int saved = errno;
    (void)close(lock);
    errno = saved;
    return rc;
}

int registry_settle(const struct registry *r, const struct session *s)
{
    char name[ENTRY_NAME_BYTES], beside[ENTRY_NAME_BYTES + 8], opening[ENTRY_NAME_BYTES];
    entry_name(s->lease_id, s->pid, name);
    entry_name(0, s->pid, opening);
    (void)snprintf(beside, sizeof(beside), ".%s", name);
    (void)unlinkat(r->sessions_fd, beside, 0);
    if (write_entry(r, beside, s) != 0)
        return -1;
    if (renameat(r->sessions_fd, beside, r->sessions_fd, name) != 0) {
        int saved = errno;
        (void)unlinkat(r->sessions_fd, beside, 0);
        errno = saved;
        return -1;
    }
    (void)unlinkat(r->sessions_fd, opening, 0);
    return 0;
}

void registry_leave(const struct registry *r, int64_t lease_id, pid_t pid)
{
    char name[ENTRY_NAME_BYTES];
    entry_name(0, pid, name);
    (void)unlinkat(r->sessions_fd, name, 0);
    if (lease_id == 0)
        return;
    entry_name(lease_id, pid, name);
    (void)unlinkat(r->sessions_fd, name, 0);
}

/* ---- reading ---- */

/* LEASEID.PID. Names that begin with a dot are on their way. */
static bool parse_name(const char *name, int64_t *ret_lease_id, pid_t *ret_pid)
{
    char *end;
    if (name[0] < '0' || name[0] > '9')
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

/* 0 and *ret; -1: no entry by that name, or none that can be read. */
static int read_entry(const struct registry *r, const char *name, struct session *ret)
{
    char text[REGISTRY_ENTRY_BYTES];
    int64_t lease_id;
    pid_t pid;
    struct stat st;
    struct session s;
    int rc = -1;

    int fd = openat(r->sessions_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t n = -1;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == r->owner)
        n = read(fd, text, sizeof(text));
    (void)close(fd);
    if (n > 0 && session_parse(text, (size_t)n, &s) == 0) {
        rc = 0;
        if (!parse_name(name, &lease_id, &pid) || s.pid != pid || s.lease_id != lease_id) {
            session_release(&s);
            rc = -1;
        }
    }
    if (rc == 0)
        *ret = s;
    return rc;
}

/* A child that outlived its monitor: in the monitor's session, and the login's. */
struct orphan_search {
    const struct session *of;
    pid_t found;
};

static int is_orphan(void *arg, const struct process *p)
{
    struct orphan_search *search = arg;
    if (p->session != search->of->pid || p->pid == search->of->pid || p->uid != search->of->uid ||
        p->start_ticks < search->of->start_ticks || p->state == 'Z')
        return 0;
    search->found = p->pid;
    return 1;
}

static pid_t find_orphan(const struct session *s)
{
    struct orphan_search search = {.of = s};
    (void)process_each(is_orphan, &search);
    return search.found;
}

/* Whether the session is there, by its monitor or a child that is left of it. */
static bool is_live(struct session *s)
{
    struct process p;
    s->orphan = 0;
    if (process_is(s->pid, s->start_ticks))
        return true;
    /* The number was given to another process, which it could not while the session id was in use:
     * a zombie monitor is the only one that may still have it. */
    if (process_read(s->pid, &p) && p.start_ticks != s->start_ticks)
        return false;
    s->orphan = find_orphan(s);
    return s->orphan != 0;
}

/* Looked at again under the lock: a new login may have got the pid meanwhile. */
static void remove_dead(const struct registry *r, const char *name, int64_t lease_id)
{
    struct session s;
    if (r->lock_fd < 0 || geteuid() != r->owner)
        return;
    int lock = registry_lock(r, lease_id, 0);
    if (lock < 0)
        return;
    if (read_entry(r, name, &s) == 0) {
        if (!is_live(&s))
            (void)unlinkat(r->sessions_fd, name, 0);
        session_release(&s);
    }
    (void)close(lock);
}

static int compare(const void *a, const void *b)
{
    const struct session *x = a, *y = b;
    if (x->pid != y->pid)
        return x->pid < y->pid ? -1 : 1;
    return (int)y->open - (int)x->open; /* the entry that says more first */
}

/* One entry a session, though both of its names may have been read, or one twice. */
static void remove_doubles(struct session_list *list)
{
    size_t kept = 0;
    if (list->count > 1)
        qsort(list->items, list->count, sizeof(list->items[0]), compare);
    for (size_t i = 0; i < list->count; i++) {
        if (kept > 0 && list->items[kept - 1].pid == list->items[i].pid)
            session_release(&list->items[i]);
        else
            list->items[kept++] = list->items[i];
    }
    list->count = kept;
}

static int add(struct session_list *list, size_t *cap, const struct session *s)
{
    if (list->count == *cap) {
        size_t more = *cap == 0 ? 16 : *cap * 2;
        if (more > 2 * (size_t)REGISTRY_SESSIONS_MAX) {
            errno = EOVERFLOW;
            return -1;
        }
        struct session *items = reallocarray(list->items, more, sizeof(*items));
        if (items == NULL)
            return -1;
        list->items = items;
        *cap = more;
    }
    list->items[list->count++] = *s;
    return 0;
}

/* Among those read before, which are sorted as compare has them. */
static bool was_read(const struct session *before, size_t count, int64_t lease_id, pid_t pid)
{
    const struct session wanted = {.pid = pid, .open = lease_id != 0};
    const struct session *hit =
        count > 0 ? bsearch(&wanted, before, count, sizeof(*before), compare) : NULL;
    return hit != NULL && hit->lease_id == lease_id;
}

/* One pass over the directory. A name that list has already is not looked at again. */
static int read_once(const struct registry *r, int64_t lease_id, struct session_list *list,
                     size_t *cap)
{
    const size_t before = list->count;
    int rc = 0;
    if (before > 1)
        qsort(list->items, before, sizeof(list->items[0]), compare);
    int fd = openat(r->sessions_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (dir == NULL) {
        if (fd >= 0)
            (void)close(fd);
        return -1;
    }
    for (;;) {
        struct session s;
        int64_t id;
        pid_t pid;
        errno = 0;
        const struct dirent *e = readdir(dir);
        if (e == NULL) {
            rc = errno == 0 ? 0 : -1;
            break;
        }
        if (!parse_name(e->d_name, &id, &pid) || (lease_id != 0 && id != 0 && id != lease_id) ||
            was_read(list->items, before, id, pid) || read_entry(r, e->d_name, &s) != 0)
            continue;
        if (!is_live(&s)) {
            remove_dead(r, e->d_name, id);
            session_release(&s);
            continue;
        }
        rc = add(list, cap, &s);
        if (rc != 0) {
            session_release(&s);
            break;
        }
    }
    int saved = errno;
    (void)closedir(dir);
    errno = saved;
    return rc;
}

int registry_read(const struct registry *r, int64_t lease_id, struct session_list *ret)
{
    struct session_list list = {.items = NULL};
    size_t cap = 0;
    /* Twice: readdir(3) may meet neither name of a session that settles meanwhile, and a session
     * does so once. What the second pass is for has a name that the first did not meet. */
    int rc = read_once(r, lease_id, &list, &cap);
    if (rc == 0)
        rc = read_once(r, lease_id, &list, &cap);
    if (rc != 0) {
        int saved = errno;
        session_list_release(&list);
        errno = saved;
        return -1;
    }
    remove_doubles(&list);
    *ret = list;
    return 0;
}

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
    *list = (struct session_list){.items = NULL};
}

int registry_count(const char *run_dir, int64_t lease_id, size_t *ret)
{
    struct registry r;
    struct session_list list;
    if (registry_open(run_dir, false, &r) != 0)
        return -1;
    int rc = registry_read(&r, lease_id, &list);
    int saved = errno;
    registry_close(&r);
    errno = saved;
    if (rc != 0)
        return -1;
    session_list_filter(&list, session_is_open, NULL);
    *ret = list.count;
    session_list_release(&list);
    return 0;
}
