/* SPDX-License-Identifier: ISC */
/* Are sessions registered, and is every one in the registry? */
#include "leasectl/doctor/checks.h"
#include "leasectl/sessions/pids.h"
#include "leasectl/sessions/unregistered.h"
#include "lib/session/registry_read.h"

#include <errno.h>
#include <string.h>

static const char see_more[] =
    "run 'leasectl doctor' where /proc shows the processes of all users: mount(8), hidepid";

/* errno: why the registry could not be opened. */
static void report_unusable(struct doctor_run *d, const char *run_dir)
{
    if (errno == ENOENT) {
        doctor_report(d, RESULT_WARN, "registry", "'%s', or a part of it, is missing", run_dir);
        doctor_why(d, "the next login makes it; what was up before is in no registry");
        doctor_mend(d, "leasectl setup");
    } else {
        doctor_report(d, RESULT_FAIL, "registry", "'%s/sessions' and '%s/lock' cannot be used (%s)",
                      run_dir, run_dir, errno == EPERM ? "others may write them" : strerror(errno));
        doctor_why(d, "pam_tunnel refuses every login");
        doctor_mend(d,
                    "chown root:_tunlease '%s' '%s/sessions'; chmod 0750 '%s' '%s/sessions'; chown "
                    "root:root '%s/lock'; chmod 0700 '%s/lock'",
                    run_dir, run_dir, run_dir, run_dir, run_dir, run_dir);
    }
}

void check_run_dir(struct doctor_run *d)
{
    struct registry r = REGISTRY_CLOSED;
    const char *run_dir = d->ctl->conf.paths.run_dir;
    if (registry_open(run_dir, true, &r) != 0)
        report_unusable(d, run_dir);
    else
        doctor_report(d, RESULT_OK, "registry", "'%s' can be used", run_dir);
    registry_close(&r);
}

/* live: the sessions that the registry has. */
static void report_connections(struct doctor_run *d, const struct registry *r, size_t live)
{
    struct buf pids = {0};
    size_t unregistered = 0;
    const char *run_dir = d->ctl->conf.paths.run_dir;
    const enum sight sight = sessions_count_unregistered(d->ctl, r, &pids, &unregistered);
    if (sight == SIGHT_CANNOT_TELL) {
        doctor_report(d, RESULT_FAIL, "registry",
                      "it cannot be told whether every connection of tunnel logins is in it: %s",
                      session_unseen_reason(errno));
        doctor_why(d, "nothing ends a connection that is in no entry");
        doctor_mend(d, "%s", see_more);
    } else if (unregistered > 0) {
        doctor_report(d, RESULT_FAIL, "registry",
                      "%zu connection%s of tunnel logins %s in no entry of '%s/sessions'",
                      unregistered, unregistered == 1 ? "" : "s", unregistered == 1 ? "is" : "are",
                      run_dir);
        doctor_why(d, "revoke and expiry do not end %s", unregistered == 1 ? "it" : "them");
        doctor_mend(d, "each registers when its client connects again, at the latest after: kill%s",
                    pids_text(&pids));
    } else
        doctor_report(d, RESULT_OK, "registry",
                      "'%s/sessions' has %zu live session%s, and no connection is missing", run_dir,
                      live, live == 1 ? "" : "s");
    buf_release(&pids);
}

/* Checks the registry, and looks for connections that are not in it. */
void check_registry(struct doctor_run *d)
{
    struct registry r = REGISTRY_CLOSED;
    struct session_list list;
    const char *run_dir = d->ctl->conf.paths.run_dir;
    if (registry_open(run_dir, true, &r) != 0) {
        report_unusable(d, run_dir);
        return;
    }
    if (registry_read(&r, 0, &list) != 0) {
        doctor_report(d, RESULT_FAIL, "registry", "'%s/sessions' cannot be read: %s", run_dir,
                      strerror(errno));
        doctor_why(d, "it cannot be told which sessions are live, so nothing can end them");
        doctor_mend(d, "run 'leasectl doctor' as root; what the error says decides");
        registry_close(&r);
        return;
    }
    if (list.unseen > 0) {
        doctor_report(d, RESULT_FAIL, "registry", "%zu session%s cannot be seen: %s", list.unseen,
                      list.unseen == 1 ? "" : "s", session_unseen_reason(list.unseen_why));
        doctor_why(d, "nothing here ends %s", list.unseen == 1 ? "it" : "them");
        doctor_mend(d, "%s", see_more);
    }
    report_connections(d, &r, list.count);
    session_list_release(&list);
    registry_close(&r);
}
