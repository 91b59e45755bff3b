/* SPDX-License-Identifier: ISC */
/* Can akc be run, and can it read the store? */
#include "leasectl/child.h"
#include "leasectl/ctl_store.h"
#include "leasectl/doctor/checks.h"
#include "lib/lease/time_text.h"
#include "lib/store/freezes.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char akc_path[] = TUNLEASE_LIBEXECDIR "/tunlease/akc";

static const char nobody_logs_in[] = "nobody can log in with a lease";

/* sshd runs the command only when it and every directory above it is root's, and only root can
 * write there (sshd_config(5), AuthorizedKeysCommand). */
void check_akc_path(struct doctor_run *d)
{
    char path[512];
    struct stat st;
    (void)snprintf(path, sizeof(path), "%s", akc_path);
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || (st.st_mode & S_IXOTH) == 0) {
        doctor_report(d, RESULT_FAIL, "akc", "'%s' is missing or not executable for all", akc_path);
        doctor_why(d, "%s", nobody_logs_in);
        doctor_mend(d, "install tunlease again");
        return;
    }
    for (;;) {
        if (stat(path, &st) != 0 || st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
            doctor_report(d, RESULT_FAIL, "akc", "'%s' is not root's, or others can write it",
                          path);
            doctor_why(d, "sshd does not run akc from such a path: %s", nobody_logs_in);
            doctor_mend(d, "chown root '%s' && chmod go-w '%s'", path, path);
            return;
        }
        char *slash = strrchr(path, '/');
        if (slash == path && path[1] == '\0')
            break;
        slash[slash == path ? 1 : 0] = '\0';
    }
    doctor_report(d, RESULT_OK, "akc", "'%s' is where sshd will run it", akc_path);
}

/* Can akc use the store when it runs as the user that sshd runs it as? */
void check_store(struct doctor_run *d)
{
    const struct conf *conf = &d->ctl->conf;
    const char *argv[8] = {"setpriv", "--reuid=_tunlease-akc", "--regid=_tunlease",
                           "--clear-groups", akc_path};
    size_t n = 5;
    struct child c;

    if (getpwnam("_tunlease-akc") == NULL) {
        doctor_report(d, RESULT_FAIL, "store",
                      "there is no user _tunlease-akc for sshd to run akc as");
        doctor_why(d, "%s", nobody_logs_in);
        doctor_mend(d, "leasectl setup");
        return;
    }
    if (d->ctl->conf_file != NULL) {
        argv[n++] = "-c";
        argv[n++] = d->ctl->conf_file;
    }
    argv[n] = conf->forward_login;
    int status = child_run(&c, argv, NULL, NULL, 5000);
    if (status == 0)
        doctor_report(d, RESULT_OK, "store", "'%s' answers akc as the user _tunlease-akc",
                      conf->paths.database);
    else {
        doctor_report(d, RESULT_FAIL, "store", "akc as _tunlease-akc cannot use '%s' (exit %d)",
                      conf->paths.database, status);
        doctor_why(d, "%s", nobody_logs_in);
        doctor_mend(d, "the reason is in the system log: journalctl -t akc, or auth.log");
    }
    child_release(&c);
}

static int report_freeze(void *arg, const char *login, int64_t since_s)
{
    char since[TIME_TEXT_BYTES];
    time_format_local(since_s, since);
    const bool all = strcmp(login, "*") == 0;
    doctor_report(arg, RESULT_WARN, "freeze", "%s frozen since %s",
                  all ? "all tunnel logins are" : login, since);
    doctor_why(arg, "nobody gets in until it is thawed");
    doctor_mend(arg, "leasectl thaw%s%s", all ? "" : " ", all ? "" : login);
    return 0;
}

void check_freezes(struct doctor_run *d)
{
    if (ctl_open_read(d->ctl) != EXIT_DONE) /* check_store has reported it */
        return;
    (void)store_freeze_list(d->ctl->store, report_freeze, d);
    ctl_close(d->ctl);
}
