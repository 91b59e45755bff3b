/* SPDX-License-Identifier: ISC */
#include "lib/session/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

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
