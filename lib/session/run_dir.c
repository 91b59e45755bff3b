/* SPDX-License-Identifier: ISC */
#include "lib/session/run_dir.h"

#include "lib/session/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { GROUP_TEXT_BYTES = 16384, TRIES = 100, NOREPLACE = 1 /* of renameat2(2) */ };

/* The group _tunlease, or our own if it does not exist. */
static int find_group(gid_t *ret)
{
    char text[GROUP_TEXT_BYTES];
    struct group gr, *found = NULL;
    int rc = getgrnam_r("_tunlease", &gr, text, sizeof(text), &found);
    if (found == NULL && rc != 0 && rc != ENOENT && rc != ESRCH) { /* getgrnam_r(3), NOTES */
        errno = rc;
        return -1;
    }
    *ret = found != NULL ? found->gr_gid : getegid();
    return 0;
}

/* Opens a directory that nobody but root and we can write. flags: O_NOFOLLOW, but not for the
 * parent of RunDir, which may be a link (/var/run). */
static int open_safe(int at, const char *path, int flags)
{
    struct stat st;
    int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
    if (fd < 0)
        return -1;
    if (fstat(fd, &st) == 0 && (st.st_uid == 0 || st.st_uid == geteuid()) &&
        (st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
        return fd;
    (void)close(fd);
    errno = EPERM;
    return -1;
}

static int set_owner(int fd, gid_t group, mode_t mode)
{
    return fchown(fd, geteuid(), group) == 0 && fchmod(fd, mode) == 0 ? 0 : -1;
}

/*
 * Makes an empty directory under a temporary name, ret_name, and opens it. The pid alone does not
 * make the name unique, because pid namespaces may share RunDir.
 */
static int make_temporary(int at, const char *name, char ret_name[static NAME_MAX + 1])
{
    for (int i = 0; i < TRIES; i++) {
        (void)snprintf(ret_name, NAME_MAX + 1, ".%.200s.%d.%d", name, (int)getpid(), i);
        if (mkdirat(at, ret_name, 0700) == 0)
            return openat(at, ret_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (errno != EEXIST)
            return -1;
    }
    return -1;
}

/* What is in a directory: nothing yet, the two of a registry, or those and the registry of the join
 * connections. */
enum inner { INNER_NONE, INNER_REGISTRY, INNER_RUN_DIR };

static int make_inner(int fd, gid_t group, enum inner inner);

static void remove_inner(int fd, enum inner inner)
{
    if (inner == INNER_RUN_DIR) {
        (void)unlinkat(fd, JOIN_DIRECTORY "/sessions", AT_REMOVEDIR);
        (void)unlinkat(fd, JOIN_DIRECTORY "/lock", AT_REMOVEDIR);
        (void)unlinkat(fd, JOIN_DIRECTORY, AT_REMOVEDIR);
    }
    (void)unlinkat(fd, "sessions", AT_REMOVEDIR);
    (void)unlinkat(fd, "lock", AT_REMOVEDIR);
}

/* Makes a directory that is missing, together with what is in it. Returns 0 also if another maker
 * was faster. */
static int make_directory(int at, const char *name, gid_t group, mode_t mode, enum inner inner)
{
    char temporary[NAME_MAX + 1];
    struct stat st;
    if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return 0;
    if (errno != ENOENT)
        return -1;
    int fd = make_temporary(at, name, temporary);
    if (fd < 0)
        return -1;
    int rc = set_owner(fd, group, mode);
    if (rc == 0)
        rc = make_inner(fd, group, inner);
    if (rc == 0)
        rc = (int)syscall(SYS_renameat2, at, temporary, at, name, NOREPLACE);
    int saved = errno;
    if (rc != 0) {
        remove_inner(fd, inner);
        (void)unlinkat(at, temporary, AT_REMOVEDIR);
    }
    (void)close(fd);
    errno = saved;
    return rc == 0 || saved == EEXIST ? 0 : -1; /* another maker's is as good */
}

static int make_inner(int fd, gid_t group, enum inner inner)
{
    int rc = 0;
    if (inner != INNER_NONE)
        rc = make_directory(fd, "sessions", group, 0750, INNER_NONE);
    if (rc == 0 && inner != INNER_NONE)
        rc = make_directory(fd, "lock", getegid(), 0700, INNER_NONE);
    if (rc == 0 && inner == INNER_RUN_DIR)
        rc = make_directory(fd, JOIN_DIRECTORY, group, 0750, INNER_REGISTRY);
    return rc;
}

/* Makes what is missing in a directory that exists. */
static int make_missing(int at, const char *name, gid_t group, enum inner inner)
{
    int fd = open_safe(at, name, O_NOFOLLOW);
    if (fd < 0)
        return -1;
    int rc = make_inner(fd, group, inner);
    if (rc == 0 && inner == INNER_RUN_DIR)
        rc = make_missing(fd, JOIN_DIRECTORY, group, INNER_REGISTRY);
    int saved = errno;
    (void)close(fd);
    errno = saved;
    return rc;
}

int run_dir_make(const char *run_dir)
{
    char parent[PATH_MAX];
    gid_t group;
    const char *slash = strrchr(run_dir, '/');
    if (slash == NULL || slash[1] == '\0' || slash - run_dir >= PATH_MAX - 1) {
        errno = EINVAL;
        return -1;
    }
    (void)snprintf(parent, sizeof(parent), "%.*s/", (int)(slash - run_dir), run_dir);
    if (find_group(&group) != 0)
        return -1;
    int fd = open_safe(AT_FDCWD, parent, 0);
    if (fd < 0)
        return -1;
    int rc = make_directory(fd, slash + 1, group, 0750, INNER_RUN_DIR);
    if (rc == 0)
        rc = make_missing(fd, slash + 1, group, INNER_RUN_DIR);
    int saved = errno;
    (void)close(fd);
    errno = saved;
    return rc;
}

int run_dir_open(const char *run_dir, struct registry *ret)
{
    if (registry_open(run_dir, true, ret) == 0)
        return 0;
    if (errno != ENOENT || geteuid() != 0)
        return -1;
    if (run_dir_make(run_dir) != 0)
        return -1;
    return registry_open(run_dir, true, ret);
}
