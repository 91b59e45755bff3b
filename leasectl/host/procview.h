/* SPDX-License-Identifier: ISC */
/* Whether a process sees the processes of other users in /proc (proc(5), hidepid= and gid=). */
#ifndef TUNLEASE_LEASECTL_HOST_PROCVIEW_H
#define TUNLEASE_LEASECTL_HOST_PROCVIEW_H

#include <stdbool.h>
#include <sys/types.h>

struct proc_view {
    char hidepid[16]; /* of /proc as that process has it: "2", "invisible"; "": hides none */
    bool has_gid;     /* members of gid see all processes even so */
    gid_t gid;
    bool sees; /* none is hidden, it is a member of gid, or it has CAP_SYS_PTRACE */
};

/* True if this process may look into those of other users (CAP_SYS_PTRACE), which root often may
 * not in a container. */
bool proc_view_may_look_inside(void);

/* For a running process, with its groups and capabilities. 0, or -1 with errno set. */
int proc_view_of_process(pid_t pid, struct proc_view *ret);

/* For a process of user, started here, without capabilities. 0, or -1 with errno set. */
int proc_view_of_user(const char *user, struct proc_view *ret);

#endif
