/* SPDX-License-Identifier: ISC */
/* Whether a process is shown the processes of others in /proc (proc(5), hidepid= and gid=). */
#ifndef TUNLEASE_LEASECTL_HOST_PROCVIEW_H
#define TUNLEASE_LEASECTL_HOST_PROCVIEW_H

#include <stdbool.h>
#include <sys/types.h>

struct proc_view {
    char hidepid[16]; /* as it is mounted for that process: "2", "invisible"; "": all are shown */
    bool has_gid;     /* members of this group are shown all the same */
    gid_t gid;
    bool sees; /* it is shown all: nothing is hidden, it is a member, or may trace everybody */
};

/* Of a process that runs, with the groups and capabilities that it has. 0, or -1 with errno set. */
int proc_view_of_process(pid_t pid, struct proc_view *ret);

/* Of one that would run here as that user. 0, or -1 with errno set. */
int proc_view_of_user(const char *user, struct proc_view *ret);

#endif
