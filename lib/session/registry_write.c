/* SPDX-License-Identifier: ISC */
#include "lib/session/registry_write.h"

#include "lib/session/entry.h"
#include "lib/session/registry_lock.h"
#include "lib/session/registry_names.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Writes a new file of that name, whole, whatever the umask of the host process is. Refuses what no
 * reader would accept as an entry: such a session could not be found, and so not be ended. */
static int write_entry(const struct registry *r, const char *name, const struct session *s)
{
    char text[REGISTRY_ENTRY_BYTES];
    struct session again, here = *s;
    int saved;

    here.origin = r->here;
    size_t len = entry_format(&here, text);
    if (len == 0 || entry_parse(text, len, &again) != 0) {
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

/* Marks our pid namespace as one that has entries. Comes before its first entry. */
static int mark_namespace(const struct registry *r)
{
    char name[REGISTRY_NAME_BYTES];
    namespace_mark_name(r->here.pid_namespace, name);
    int fd =
        openat(r->sessions_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (fd < 0)
        return errno == EEXIST ? 0 : -1;
    (void)close(fd);
    return 0;
}

/* Whether the entry with this name is of another pid namespace. Its session may be alive, and can
 * be found by this name alone. */
static bool is_of_other_namespace(const struct registry *r, int64_t lease_id, pid_t pid)
{
    struct session there;
    if (entry_read(r, lease_id, pid, &there) != SIGHT_IS)
        return false;
    bool is = origin_is_here(&r->here, &there.origin, there.since_s) == SIGHT_CANNOT_TELL;
    session_release(&there);
    return is;
}

/* Writes a temporary file and renames it, so that a reader finds a whole entry or none. */
static int put_entry(const struct registry *r, const char *name, const struct session *s)
{
    char temporary[REGISTRY_NAME_BYTES];
    if (is_of_other_namespace(r, s->lease_id, s->pid)) {
        errno = EEXIST;
        return -1;
    }
    temporary_name(r->here.pid_namespace, s->pid, temporary);
    (void)unlinkat(r->sessions_fd, temporary, 0); /* of a process that had this pid before */
    if (mark_namespace(r) != 0 || write_entry(r, temporary, s) != 0)
        return -1;
    if (renameat(r->sessions_fd, temporary, r->sessions_fd, name) == 0)
        return 0;
    int saved = errno;
    (void)unlinkat(r->sessions_fd, temporary, 0);
    errno = saved;
    return -1;
}

int registry_add_opening(const struct registry *r, const struct session *s, int64_t deadline_ms)
{
    char name[REGISTRY_NAME_BYTES];
    /* Excludes whoever removes a dead entry with this pid. */
    int lock = registry_lock_openings(r, deadline_ms);
    if (lock < 0)
        return -1;
    entry_name(0, s->pid, name);
    int rc = put_entry(r, name, s);
    int saved = errno;
    (void)close(lock);
    errno = saved;
    return rc;
}

int registry_open_session(const struct registry *r, const struct session *s)
{
    char name[REGISTRY_NAME_BYTES], opening[REGISTRY_NAME_BYTES];
    entry_name(s->lease_id, s->pid, name);
    entry_name(0, s->pid, opening);
    if (put_entry(r, name, s) != 0)
        return -1;
    (void)unlinkat(r->sessions_fd, opening, 0);
    return 0;
}

static void remove_own(const struct registry *r, int64_t lease_id, pid_t pid)
{
    char name[REGISTRY_NAME_BYTES];
    entry_name(lease_id, pid, name);
    if (!is_of_other_namespace(r, lease_id, pid))
        (void)unlinkat(r->sessions_fd, name, 0);
}

void registry_remove_own(const struct registry *r, int64_t lease_id, pid_t pid)
{
    remove_own(r, 0, pid);
    if (lease_id != 0)
        remove_own(r, lease_id, pid);
}
