/* SPDX-License-Identifier: ISC */
#include "lib/base/privilege.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int privilege_become_owner(const char *dir, struct privilege *p)
{
    struct stat st;
    struct privilege own = {.became_owner = false};

    *p = own;
    if (stat(dir, &st) != 0)
        return -1;
    if (!S_ISDIR(st.st_mode)) {
        errno = ENOTDIR;
        return -1;
    }
    if (geteuid() != 0 || st.st_uid == 0)
        return 0;
    own.group_count = getgroups(PRIVILEGE_GROUPS_MAX, own.groups);
    if (own.group_count < 0)
        return -1;
    own.became_owner = true;
    if (setgroups(1, &st.st_gid) != 0 || setegid(st.st_gid) != 0 || seteuid(st.st_uid) != 0) {
        int saved = errno;
        privilege_restore(&own);
        errno = saved;
        return -1;
    }
    *p = own;
    return 0;
}

void privilege_restore(struct privilege *p)
{
    if (!p->became_owner)
        return;
    if (seteuid(0) != 0 || setegid(getgid()) != 0 ||
        setgroups((size_t)p->group_count, p->groups) != 0)
        abort();
    p->became_owner = false;
}
