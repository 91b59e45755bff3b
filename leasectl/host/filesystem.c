/* SPDX-License-Identifier: ISC */
#include "leasectl/host/filesystem.h"

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* Makes path its parent directory. False: it was the root already. */
static bool go_up(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash == NULL || (slash == path && path[1] == '\0'))
        return false;
    slash[slash == path ? 1 : 0] = '\0';
    return true;
}

/* A bind mount has the device of what is bound, so devices are not compared. "/" where the kernel
 * does not say (before Linux 5.8). */
static int find_mount_point(const char *path, char ret[static FILESYSTEM_PATH_BYTES])
{
    struct statx s;
    char at[FILESYSTEM_PATH_BYTES];
    if (strlcpy(at, path, sizeof(at)) >= sizeof(at)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    do {
        if (statx(AT_FDCWD, at, AT_NO_AUTOMOUNT, STATX_TYPE, &s) != 0)
            return -1;
    } while ((s.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0 && go_up(at));
    (void)strlcpy(ret, at, FILESYSTEM_PATH_BYTES);
    return 0;
}

int filesystem_of(const char *path, struct filesystem *ret)
{
    struct filesystem found = {0};
    struct statvfs s;
    if (statvfs(path, &s) != 0 || find_mount_point(path, found.mount_point) != 0)
        return -1;
    found.read_only = (s.f_flag & ST_RDONLY) != 0;
    found.no_exec = (s.f_flag & ST_NOEXEC) != 0;
    found.free_bytes = (uint64_t)s.f_bavail * s.f_frsize;
    found.has_file_count = s.f_files != 0;
    found.free_files = s.f_favail;
    *ret = found;
    return 0;
}

bool filesystem_is_read_only(const char *directory)
{
    char at[FILESYSTEM_PATH_BYTES];
    struct statvfs s;
    if (strlcpy(at, directory, sizeof(at)) >= sizeof(at))
        return false;
    do {
        if (statvfs(at, &s) == 0)
            return (s.f_flag & ST_RDONLY) != 0;
    } while (errno == ENOENT && go_up(at));
    return false;
}

static bool may_enter(const struct stat *st, uid_t uid, gid_t gid)
{
    mode_t bit = st->st_uid == uid ? S_IXUSR : st->st_gid == gid ? S_IXGRP : S_IXOTH;
    return (st->st_mode & bit) != 0;
}

bool filesystem_closed_directory(const char *path, uid_t uid, gid_t gid,
                                 char ret[static FILESYSTEM_PATH_BYTES])
{
    char at[FILESYSTEM_PATH_BYTES];
    struct stat st;
    bool found = false;
    if (strlcpy(at, path, sizeof(at)) >= sizeof(at))
        return false;
    while (go_up(at)) /* the one nearest to / is the last that is found */
        if (stat(at, &st) == 0 && !may_enter(&st, uid, gid)) {
            (void)strlcpy(ret, at, FILESYSTEM_PATH_BYTES);
            found = true;
        }
    return found;
}
