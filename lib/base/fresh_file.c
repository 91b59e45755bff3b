/* SPDX-License-Identifier: ISC */
#include "lib/base/fresh_file.h"

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PRIVATE_MODE = 0600 };

int fresh_file_open(const char *dir, const char *name, struct fresh_file *ret)
{
    struct fresh_file f = FRESH_FILE_CLOSED;
    if (strlcpy(f.name, name, sizeof(f.name)) >= sizeof(f.name)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    (void)snprintf(f.temporary, sizeof(f.temporary), ".%s.new-%d", name, (int)getpid());
    f.dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f.dir_fd < 0)
        return -1;
    f.fd = openat(f.dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, PRIVATE_MODE);
    if (f.fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
        f.fd = openat(f.dir_fd, f.temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                      PRIVATE_MODE);
        f.is_named = f.fd >= 0;
    }
    if (f.fd >= 0) {
        *ret = f;
        return 0;
    }
    int saved = errno;
    fresh_file_close(&f);
    errno = saved;
    return -1;
}

/* Links the nameless file. */
static int give_name(const struct fresh_file *f, const char *name)
{
    char path[32];
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", f->fd);
    return linkat(AT_FDCWD, path, f->dir_fd, name, AT_SYMLINK_FOLLOW);
}

/* A file system that cannot rename like this is looked at first. By its number: musl has no
 * function for it. */
static int rename_to_nothing(const struct fresh_file *f)
{
    struct stat sb;
    if (syscall(SYS_renameat2, f->dir_fd, f->temporary, f->dir_fd, f->name, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL)
        return -1;
    if (fstatat(f->dir_fd, f->name, &sb, AT_SYMLINK_NOFOLLOW) == 0) {
        errno = EEXIST;
        return -1;
    }
    return renameat(f->dir_fd, f->temporary, f->dir_fd, f->name);
}

int fresh_file_publish(struct fresh_file *f, unsigned mode, bool replace)
{
    int rc = fchmod(f->fd, mode) == 0 && fsync(f->fd) == 0 ? 0 : -1;
    if (rc == 0 && !f->is_named && !replace)
        rc = give_name(f, f->name);
    else if (rc == 0) {
        if (!f->is_named)
            rc = give_name(f, f->temporary);
        f->is_named = f->is_named || rc == 0;
        if (rc == 0)
            rc = replace ? renameat(f->dir_fd, f->temporary, f->dir_fd, f->name)
                         : rename_to_nothing(f);
        f->is_named = f->is_named && rc != 0;
    }
    return rc == 0 ? fsync(f->dir_fd) : -1;
}

void fresh_file_close(struct fresh_file *f)
{
    if (f->is_named)
        (void)unlinkat(f->dir_fd, f->temporary, 0);
    if (f->fd >= 0)
        (void)close(f->fd);
    if (f->dir_fd >= 0)
        (void)close(f->dir_fd);
    *f = FRESH_FILE_CLOSED;
}
