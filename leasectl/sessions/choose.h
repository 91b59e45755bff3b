/* SPDX-License-Identifier: ISC */
/* The live sessions that an admin names: by their lease, or one by its pid. */
#ifndef TUNLEASE_LEASECTL_SESSIONS_CHOOSE_H
#define TUNLEASE_LEASECTL_SESSIONS_CHOOSE_H

#include "leasectl/ctl.h"
#include "lib/session/session_list.h"

#include <stdint.h>
#include <sys/types.h>

struct session_choice {
    int64_t lease_id; /* 0: any */
    pid_t pid;        /* 0: any */
};

/* The number of the lease NAME or #17, also of one that is expired or revoked: its sessions may be
 * up. EXIT_DONE and *ret, or the exit code, printed. */
int sessions_choose_lease(struct ctl *ctl, const char *ref, int64_t *ret);

/* EXIT_DONE and *ret, to be released; or the exit code, printed. As root, also removes the entries
 * of sessions that have died. */
int sessions_read_chosen(struct ctl *ctl, struct session_choice *choice, struct session_list *ret);

#endif
