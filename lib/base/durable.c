/* SPDX-License-Identifier: ISC */
#include "lib/base/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int sync_path(const char *path, int flags)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    if (fd < 0)
        return -1;
    int rc = fsync(fd), saved = errno;
    (void)close(fd);
    errno = saved;
    return rc;
}

int durable_bytes(const char *path)
{
    return sync_path(path, O_NOFOLLOW | O_NONBLOCK);
}

int durable_name(const char *path)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(path, '/');
    /* With the slash, which is all of it for a name in the root. */
    int n = snprintf(dir, sizeof(dir), "%.*s", slash != NULL ? (int)(slash - path) + 1 : 1,
                     slash != NULL ? path : ".");
    if (n < 0 || (size_t)n >= sizeof(dir)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int rc = sync_path(dir, O_DIRECTORY);
    return rc != 0 && errno == EINVAL ? 0 : rc;
}
