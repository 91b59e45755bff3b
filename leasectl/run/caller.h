/* SPDX-License-Identifier: ISC */
/* Who a command is run as: the user who called sudo(8), and never root unless that is asked for. */
#ifndef TUNLEASE_LEASECTL_RUN_CALLER_H
#define TUNLEASE_LEASECTL_RUN_CALLER_H

#include "leasectl/ctl.h"

#include <stdbool.h>
#include <sys/types.h>

enum { CALLER_TEXT_BYTES = 256, CALLER_GROUPS_MAX = 1024 };

struct caller {
    bool changes; /* the command gets another user than ours */
    uid_t uid;
    gid_t gid;
    gid_t groups[CALLER_GROUPS_MAX];
    int group_count;
    char name[CALLER_TEXT_BYTES], home[CALLER_TEXT_BYTES], shell[CALLER_TEXT_BYTES];
};

/* Who that is. EXIT_DONE; or the exit code with the error printed: root that did not come through
 * sudo needs as_root. */
int caller_find(struct ctl *ctl, bool as_root, struct caller *ret);

/* Sets HOME, USER, LOGNAME and SHELL of this process, and removes what sudo left. Nothing if the
 * user does not change. -1: out of memory. */
int caller_set_environment(const struct caller *c);

/* In a child, see command.h: becomes that user, whose groups were looked up before. */
int caller_become(void *caller);

#endif
