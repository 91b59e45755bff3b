/* SPDX-License-Identifier: ISC */
/* Will sshd run akc, and does akc then get its answers from the store? */
#include "leasectl/child.h"
#include "leasectl/doctor/checks.h"
#include "leasectl/host/filesystem.h"
#include "leasectl/host/matchblock.h"
#include "leasectl/host/sshd_settings.h"
#include "lib/base/buf.h"

#include <bsd/string.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

static const char akc_path[] = MATCHBLOCK_AKC;

static const char nobody_logs_in[] = "nobody can log in with a lease";

enum { SSHD_MS = 10000, AKC_MS = 5000 };

/* Whether root is the only member of the group. False also where the group has no name. */
static bool is_roots_alone(gid_t gid)
{
    const struct group *gr = getgrgid(gid);
    if (gr == NULL)
        return false;
    for (char *const *member = gr->gr_mem; *member != NULL; member++)
        if (strcmp(*member, "root") != 0)
            return false;
    bool alone = true;
    setpwent();
    for (const struct passwd *pw; alone && (pw = getpwent()) != NULL;)
        alone = pw->pw_gid != gid || pw->pw_uid == 0;
    endpwent();
    return alone;
}

/* Debian's OpenSSH has a patch: what a group may write is as good as its owner's when nobody else
 * is in that group. It has a keyword of its own, too, and with that it is told from others. */
static bool is_debians(const struct sshd *sshd)
{
    const char *const argv[] = {sshd->path, "-t", "-o", "DebianBanner=yes", NULL};
    struct child c;
    bool is = child_run(&c, argv, NULL, NULL, SSHD_MS) == 0;
    child_release(&c);
    return is;
}

static void report_writable(struct doctor_run *d, const char *path, const struct stat *st)
{
    if (st->st_uid == 0 && (st->st_mode & S_IWOTH) == 0 && is_roots_alone(st->st_gid) &&
        d->has_dialect && is_debians(&d->sshd)) {
        doctor_report(d, RESULT_NOTE, "akc", "a group that has no member but root can write '%s'",
                      path);
        doctor_why(d, "the sshd of this host accepts that, and one without Debian's changes would "
                      "not run akc");
        doctor_mend(d, "chmod g-w '%s'", path);
        return;
    }
    doctor_report(d, RESULT_FAIL, "akc", "'%s' is not root's, or others can write it", path);
    doctor_why(d, "sshd does not run akc from such a path: %s", nobody_logs_in);
    doctor_mend(d, "chown root:root '%s' && chmod go-w '%s'", path, path);
}

/* sshd runs the command only when it and every directory above it is root's, and only root can
 * write there (sshd_config(5), AuthorizedKeysCommand). */
void check_akc_path(struct doctor_run *d)
{
    char path[512];
    struct stat st;
    bool good = true;
    (void)strlcpy(path, akc_path, sizeof(path));
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || (st.st_mode & S_IXOTH) == 0) {
        doctor_report(d, RESULT_FAIL, "akc", "'%s' is missing or not executable for all", akc_path);
        doctor_why(d, "%s", nobody_logs_in);
        doctor_mend(d, "install tunlease again");
        return;
    }
    for (;;) {
        if (stat(path, &st) != 0 || st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
            report_writable(d, path, &st);
            good = false;
        }
        char *slash = strrchr(path, '/');
        if (slash == path && path[1] == '\0')
            break;
        slash[slash == path ? 1 : 0] = '\0';
    }
    if (good)
        doctor_report(d, RESULT_OK, "akc", "'%s' is where sshd will run it", akc_path);
}

/* The user that sshd -T names, else the one that setup would name. */
static void find_user(struct doctor_run *d, char *user, size_t user_bytes)
{
    struct buf effective = {0};
    (void)strlcpy(user, "_tunlease-akc", user_bytes);
    if (d->has_dialect && sshd_effective(&d->sshd, d->ctl->conf.forward_login, &effective) == 0) {
        char named[64];
        sshd_setting(&effective, "authorizedkeyscommanduser", named, sizeof(named));
        if (named[0] != '\0' && strcmp(named, "none") != 0)
            (void)strlcpy(user, named, user_bytes);
    }
    buf_release(&effective);
}

/* The kernel did not start akc; says: its reason. */
static void report_not_run(struct doctor_run *d, const char *user, const struct passwd *pw,
                           const char *says)
{
    char closed[FILESYSTEM_PATH_BYTES];
    struct filesystem fs;
    struct utsname host;
    doctor_report(d, RESULT_FAIL, "akc", "sshd cannot run '%s' as '%s': %s", akc_path, user, says);
    doctor_why(d, "%s", nobody_logs_in);
    if (filesystem_closed_directory(akc_path, pw->pw_uid, pw->pw_gid, closed))
        doctor_mend(d, "chmod a+x '%s'", closed);
    else if (filesystem_of(akc_path, &fs) == 0 && fs.no_exec)
        doctor_mend(d, "mount -o remount,exec '%s'; and take noexec out of its line in /etc/fstab",
                    fs.mount_point);
    else
        doctor_mend(d, "install the tunlease that is built for this machine (%s)",
                    uname(&host) == 0 ? host.machine : "see 'uname -m'");
}

/* Runs akc as sshd does: by its path, as the user that sshd names. */
void check_akc_run(struct doctor_run *d)
{
    const struct conf *conf = &d->ctl->conf;
    const char *argv[5] = {akc_path};
    size_t n = 1;
    char user[64];
    struct child c;

    find_user(d, user, sizeof(user));
    const struct passwd *pw = getpwnam(user);
    if (pw == NULL) {
        doctor_report(d, RESULT_FAIL, "store", "there is no user %s for sshd to run akc as", user);
        doctor_why(d, "%s", nobody_logs_in);
        doctor_mend(d, "leasectl setup");
        return;
    }
    if (d->ctl->conf_file != NULL) {
        argv[n++] = "-c";
        argv[n++] = d->ctl->conf_file;
    }
    /* A name that is no login has no leases. With those of a login akc would print all of them,
     * which it never does for sshd, and has neither memory nor time for where they are many. */
    argv[n] = conf->tunnel_group;
    const struct child_user as = {.name = user, .uid = pw->pw_uid, .gid = pw->pw_gid};
    int status = child_run_as(&c, argv, &as, AKC_MS);
    if (status == 0)
        doctor_report(d, RESULT_OK, "store", "'%s' answers akc as the user %s",
                      conf->paths.database, user);
    else if (status == CHILD_NOT_STARTED)
        report_not_run(d, user, pw, child_text(&c.err_text));
    else if (!d->store_reported) {
        doctor_report(d, RESULT_FAIL, "store", "akc as %s cannot use '%s' (exit %d)", user,
                      conf->paths.database, status);
        doctor_why(d, "%s", nobody_logs_in);
        doctor_mend(d, "the reason is in the system log: journalctl -t akc, or auth.log");
    }
    child_release(&c);
}
