/* SPDX-License-Identifier: ISC */
#include "lib/session/registry_lock.h"

#include "lib/base/clock.h"
#include "lib/session/registry_names.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOCK_RETRY_MS = 2 };

/* Whether the name still leads to the open file: registry_remove_lock_file may have removed it. */
static bool is_current(const struct registry *r, const char *name, int fd)
{
    struct stat by_name, by_fd;
    return fstatat(r->lock_fd, name, &by_name, AT_SYMLINK_NOFOLLOW) == 0 &&
           fstat(fd, &by_fd) == 0 && by_name.st_ino == by_fd.st_ino;
}

/* Polls, because flock(2) has no timeout. */
static int lock_file(const struct registry *r, int64_t lease_id, int how, int64_t deadline_ms)
{
    char name[REGISTRY_NAME_BYTES];
    int saved, fd = -1;
    lock_name(lease_id, name);
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

int registry_lock_openings(const struct registry *r, int64_t deadline_ms)
{
    return lock_file(r, 0, LOCK_SH, deadline_ms);
}

void registry_remove_lock_file(const struct registry *r, int64_t lease_id)
{
    char name[REGISTRY_NAME_BYTES];
    int lock = registry_lock(r, lease_id, 0);
    if (lock < 0)
        return;
    narrowed_name(lease_id, name);
    (void)unlinkat(r->lock_fd, name, 0);
    lock_name(lease_id, name);
    (void)unlinkat(r->lock_fd, name, 0);
    (void)close(lock);
}
