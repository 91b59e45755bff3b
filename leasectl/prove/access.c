/* SPDX-License-Identifier: ISC */
#include "leasectl/prove/access.h"

#include <bsd/string.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ANSWER_NO = 1, NOT_ASKED = 2, PATH_BYTES = 512 };

bool user_find(const char *name, struct user *ret)
{
    const struct passwd *pw = getpwnam(name);
    if (pw == NULL)
        return false;
    *ret = (struct user){.uid = pw->pw_uid, .gid = pw->pw_gid};
    (void)strlcpy(ret->name, pw->pw_name, sizeof(ret->name));
    return true;
}

/* Of the real uid, as access(2) judges. */
static _Noreturn void answer(const struct user *user, const char *path, int mode)
{
    const bool has_groups = user->name[0] != '\0';
    if ((has_groups ? initgroups(user->name, user->gid) : setgroups(0, NULL)) != 0 ||
        setresgid(user->gid, user->gid, user->gid) != 0 ||
        setresuid(user->uid, user->uid, user->uid) != 0)
        _exit(NOT_ASKED);
    if (access(path, mode) == 0)
        _exit(0);
    _exit(errno == EACCES || errno == EPERM || errno == EROFS || errno == ENOENT ? ANSWER_NO
                                                                                 : NOT_ASKED);
}

enum sight access_as(const struct user *user, const char *path, int mode)
{
    int status;
    const pid_t pid = fork();
    if (pid == 0)
        answer(user, path, mode);
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
        WEXITSTATUS(status) == NOT_ASKED)
        return SIGHT_CANNOT_TELL;
    return WEXITSTATUS(status) == 0 ? SIGHT_IS : SIGHT_IS_NOT;
}

/* What the group root may write is root's. */
static bool is_roots(const struct stat *st)
{
    return st->st_uid == 0 && (st->st_mode & S_IWOTH) == 0 &&
           ((st->st_mode & S_IWGRP) == 0 || st->st_gid == 0);
}

enum sight access_by_others(const char *path, char ret[static ACCESS_TEXT_BYTES])
{
    char at[PATH_BYTES];
    struct stat st;
    if (strlcpy(at, path, sizeof(at)) >= sizeof(at) || at[0] != '/' || stat(at, &st) != 0)
        return SIGHT_CANNOT_TELL;
    for (;;) {
        if (stat(at, &st) != 0)
            return SIGHT_CANNOT_TELL;
        /* Of a directory such as /tmp only the owner of a file may replace it. */
        const bool sticky = S_ISDIR(st.st_mode) && (st.st_mode & S_ISVTX) != 0 && st.st_uid == 0;
        if (!is_roots(&st) && !sticky) {
            (void)snprintf(ret, ACCESS_TEXT_BYTES, "'%s' is of uid %u and gid %u with mode %04o",
                           at, st.st_uid, st.st_gid, st.st_mode & 07777);
            return SIGHT_IS;
        }
        char *slash = strrchr(at, '/');
        if (at[1] == '\0')
            return SIGHT_IS_NOT;
        slash[slash == at ? 1 : 0] = '\0';
    }
}
