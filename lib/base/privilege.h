/* SPDX-License-Identifier: ISC */
/*
 * Root working below a directory that is not root's: whoever owns it could have put a link or a
 * FIFO there, so root becomes that owner first, and can then reach nothing the owner could not.
 */
#ifndef TUNLEASE_BASE_PRIVILEGE_H
#define TUNLEASE_BASE_PRIVILEGE_H

#include <stdbool.h>
#include <sys/types.h>

enum { PRIVILEGE_GROUPS_MAX = 64 };

struct privilege {
    bool became_owner;
    gid_t groups[PRIVILEGE_GROUPS_MAX];
    int group_count;
};

/*
 * Effective uid, gid and groups become those of dir's owner; a no-op unless the effective user is
 * root and the owner is not. 0, or -1 with errno set, nothing changed.
 */
int privilege_become_owner(const char *dir, struct privilege *p);

/* Root again. Must work, or the program cannot go on: aborts when it does not. */
void privilege_restore(struct privilege *p);

#endif
