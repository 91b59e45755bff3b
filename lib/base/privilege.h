/* SPDX-License-Identifier: ISC */
/*
 * For root's work below a directory that another user owns. That user could have put a link or a
 * FIFO there, so root becomes the owner first and can then reach only what the owner can.
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
 * Sets the effective uid and gid to those of dir, and its gid as the only supplementary group. Does
 * nothing unless the effective user is root and the owner of dir is not. Returns 0; or -1 with
 * errno set, and nothing has changed.
 */
int privilege_become_owner(const char *dir, struct privilege *p);

/* Becomes root again. Aborts if that fails, for the program could not go on. */
void privilege_restore(struct privilege *p);

#endif
