/* SPDX-License-Identifier: ISC */
/* Can an invite be redeemed, and is JoinLogin good for nothing else? */
#include "leasectl/ctl_store.h"
#include "leasectl/doctor/checks.h"
#include "leasectl/host/account.h"
#include "leasectl/host/filesystem.h"
#include "leasectl/host/join_account.h"
#include "leasectl/host/join_place.h"
#include "leasectl/host/join_unit.h"
#include "leasectl/host/matchblock_join.h"
#include "leasectl/host/procview.h"
#include "leasectl/host/textfile.h"
#include "lib/base/clock.h"
#include "lib/conf/join_login.h"
#include "lib/session/join_session.h"
#include "lib/session/registry_read.h"
#include "lib/session/run_dir.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char nobody_joins[] = "nobody can join";

static void report(struct doctor_run *d, enum result result, const char *what, const char *why,
                   const char *mend)
{
    doctor_report(d, result, "join", "%s", what);
    doctor_why(d, "%s", why);
    doctor_mend(d, "%s", mend);
}

/* ---- the account ---- */

static void report_problem(void *ctx, enum account_problem problem, const char *what,
                           const char *mend)
{
    struct doctor_run *d = ctx;
    (void)problem;
    doctor_report(d, RESULT_FAIL, "join", "JoinLogin '%s': %s", d->ctl->conf.join_login, what);
    doctor_why(d, "any key may log in to it while an invite is open, so it must have nothing but "
                  "the program that joins; where it is another account, akc lets nobody join");
    doctor_mend(d, "%s", mend);
}

/* ---- the program ---- */

/* Its directory is akc's, too, and check_akc_path looks at that. */
static void check_program(struct doctor_run *d)
{
    static const char mend[] = "chown root:root " JOIN_PROGRAM " && chmod 0755 " JOIN_PROGRAM;
    char what[256];
    struct stat st;
    if (stat(JOIN_PROGRAM, &st) != 0 || !S_ISREG(st.st_mode)) {
        report(d, RESULT_FAIL, "there is no program '" JOIN_PROGRAM "'", nobody_joins,
               "install tunlease again: its package, or 'make install'");
    } else if (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        report(d, RESULT_FAIL, "somebody else than root may change '" JOIN_PROGRAM "'",
               "it is what strangers run", mend);
    } else if ((st.st_mode & S_IXOTH) == 0 || (st.st_mode & 07000) != 0) {
        (void)snprintf(what, sizeof(what), "'" JOIN_PROGRAM "' has the mode %04o, not 0755",
                       (unsigned)st.st_mode & 07777);
        report(d, RESULT_FAIL, what,
               (st.st_mode & S_IXOTH) == 0 ? nobody_joins
                                           : "it runs as somebody else than JoinLogin",
               mend);
    }
}

/* ---- sshd's file in /tmp ---- */

/* sshd writes which key it verified into a file there, as the login, and in the same mount
 * namespace as what it runs: PAM has given the session its own /tmp before, if it does. So only the
 * directory that sshd itself sees can be looked at. */
static void check_tmp(struct doctor_run *d)
{
    static const char why[] =
        "sshd cannot tell join which key it verified, so no invite is redeemed";
    char path[64] = "/tmp";
    struct filesystem fs;
    struct stat st;
    if (d->sshd.listener != 0)
        (void)snprintf(path, sizeof(path), "/proc/%d/root/tmp", (int)d->sshd.listener);
    if (stat(path, &st) != 0 || filesystem_of(path, &fs) != 0) {
        doctor_report(d, errno == ENOENT ? RESULT_FAIL : RESULT_UNKNOWN, "join",
                      "sshd's /tmp cannot be looked at: %s", strerror(errno));
        doctor_why(d, "%s", why);
        doctor_mend(d, "ls -ld %s", path);
    } else if ((st.st_mode & 01777) != 01777) {
        doctor_report(d, RESULT_FAIL, "join", "sshd's /tmp has the mode %04o, not 1777",
                      (unsigned)st.st_mode & 07777);
        doctor_why(d, "%s", why);
        doctor_mend(d, "chmod 1777 %s", path);
    } else if (fs.read_only || fs.free_bytes == 0 || (fs.has_file_count && fs.free_files == 0)) {
        doctor_report(d, RESULT_FAIL, "join", "sshd's /tmp is %s",
                      fs.read_only ? "read-only" : "full");
        doctor_why(d, "%s", why);
        doctor_mend(d, fs.read_only ? "mount -o remount,rw %s" : "make room: df %s", path);
    }
}

/* ---- the way to leased ---- */

static void check_place(struct doctor_run *d, enum sight (*check)(struct buf *out),
                        const char *mend)
{
    struct buf what = {0};
    const enum sight sight = check(&what);
    if (sight != SIGHT_IS)
        report(d, sight == SIGHT_IS_NOT ? RESULT_FAIL : RESULT_UNKNOWN,
               buf_text_or(&what, "out of memory"), "join cannot reach leased, so nobody can join",
               mend);
    buf_release(&what);
}

static const char *restart_mend(void)
{
    return join_unit_is_wanted() ? "systemctl stop leased.service " JOIN_UNIT
                                   "; systemctl start " JOIN_UNIT " leased.service"
                                 : "stop leased and start it again, which ends no tunnel";
}

/* leased makes the socket, or systemd for it. Where leased does not run, check_leased says so. */
static void check_socket(struct doctor_run *d)
{
    const unsigned before = d->findings;
    check_place(d, join_place_check_directory, "leasectl setup");
    if (d->findings != before || !ctl_leased_is_running(d->ctl))
        return;
    check_place(d, join_place_check_socket, restart_mend());
    if (d->findings == before && join_place_is_listened_on() == SIGHT_IS_NOT)
        report(d, RESULT_FAIL, "nobody listens on '" JOIN_SOCKET "'",
               "join cannot reach leased, so nobody can join", restart_mend());
}

/* ---- whose connection it is ---- */

/* leased finds the connection of who asks by the ancestors of the process. */
static void check_ancestors(struct doctor_run *d)
{
    struct proc_view v;
    if (leased_proc_view(d, &v) != 0 || v.sees) /* check_proc says that it cannot tell */
        return;
    doctor_report(d, RESULT_FAIL, "join",
                  "/proc hides from leased whose connection asks to join (hidepid=%s)", v.hidepid);
    doctor_why(d, "%s: each is refused with exit status 7", nobody_joins);
    mend_proc_view(d, &v);
}

/* Whoever comes next has it made anew. What is lost are the counts of half a minute. */
static void mend_registry(struct doctor_run *d, const char *path)
{
    doctor_mend(d, "rm -rf '%s'", path);
}

/* Can leased, which is not root, read that part of the registry? False: it was reported. */
static bool check_readable(struct doctor_run *d, const char *path, const char *part)
{
    const struct group *gr = getgrnam("_tunlease");
    char name[CONF_PATH_BYTES + 32];
    struct stat st;
    (void)snprintf(name, sizeof(name), "%s%s", path, part);
    if (gr == NULL || stat(name, &st) != 0 ||
        (st.st_gid == gr->gr_gid && (st.st_mode & S_IRWXG) == (S_IRGRP | S_IXGRP)))
        return true;
    doctor_report(d, RESULT_FAIL, "join", "leased cannot read '%s': it has the mode %04o%s", name,
                  (unsigned)st.st_mode & 07777,
                  st.st_gid == gr->gr_gid ? "" : " and not the group _tunlease");
    doctor_why(d, "%s, and nothing ends a connection that only stands there", nobody_joins);
    mend_registry(d, path);
    return false;
}

static bool has_stayed(void *ctx, const struct session *s)
{
    const int64_t *now_s = ctx;
    return s->sight == SESSION_UNSEEN && *now_s - s->since_s > 2 * JOIN_SESSION_S;
}

/* One that cannot be seen is counted, since it may be there. */
static void check_places(struct doctor_run *d, const struct registry *r, const char *path)
{
    struct session_list list;
    int64_t now_s = clock_now_s();
    if (registry_read(r, 0, &list) != 0) {
        doctor_report(d, RESULT_FAIL, "join", "'%s/sessions' cannot be read: %s", path,
                      strerror(errno));
        doctor_why(d, "%s", nobody_joins);
        mend_registry(d, path);
        return;
    }
    const int why = list.unseen_why;
    session_list_filter(&list, has_stayed, &now_s);
    if (list.count > 0) {
        doctor_report(d, RESULT_FAIL, "join", "%zu connection%s in '%s' cannot be seen: %s",
                      list.count, list.count == 1 ? "" : "s", path, session_unseen_reason(why));
        doctor_why(d,
                   "no connection lasts longer than %d s, and %s of the %d places, until nobody "
                   "can join",
                   JOIN_SESSION_S, list.count == 1 ? "this takes one" : "these take as many",
                   JOIN_SESSIONS_MAX);
        mend_registry(d, path);
    }
    session_list_release(&list);
}

/* RunDir/join, where pam_tunnel registers who comes, and leased reads which key he has. What is
 * missing of it pam_tunnel makes; and of RunDir itself check_registry says whether it can be used.
 */
static void check_registry_of_join(struct doctor_run *d)
{
    char path[CONF_PATH_BYTES + 16];
    struct registry r = REGISTRY_CLOSED;
    const char *run_dir = d->ctl->conf.paths.run_dir;
    if (registry_open(run_dir, true, &r) != 0)
        return;
    registry_close(&r);
    (void)snprintf(path, sizeof(path), "%s/" JOIN_DIRECTORY, run_dir);
    if (registry_open(path, true, &r) == 0) {
        if (check_readable(d, path, "") && check_readable(d, path, "/sessions"))
            check_places(d, &r, path);
    } else if (errno != ENOENT) {
        doctor_report(d, RESULT_FAIL, "join", "'%s' cannot be used: %s", path,
                      errno == EPERM ? "others may write there" : strerror(errno));
        doctor_why(d, "pam_tunnel registers there who comes to join, and lets nobody in");
        mend_registry(d, path);
    }
    registry_close(&r);
}

static void check_boot(struct doctor_run *d)
{
    static const char why[] = "after the next boot nobody can join";
    char *text = textfile_read(JOIN_TMPFILES);
    if (text == NULL || strcmp(text, JOIN_TMPFILES_TEXT) != 0)
        report(d, RESULT_WARN,
               text == NULL ? "'" JOIN_TMPFILES "' is not there"
                            : "'" JOIN_TMPFILES "' is not what setup writes",
               why, "leasectl setup");
    free(text);
    if (join_unit_is_wanted() && !join_unit_is_enabled())
        report(d, RESULT_WARN, JOIN_UNIT " is not enabled", why, "leasectl setup");
}

/* In a container the configuration may be read-only. Then nobody is refused for want of it. */
static void check_banner(struct doctor_run *d)
{
    static const char conf_d[] = TUNLEASE_SYSCONFDIR "/tunlease";
    struct buf want = {0};
    char *have = textfile_read(MATCHBLOCK_JOIN_BANNER);
    const bool read_only = filesystem_is_read_only(conf_d);
    join_place_banner(&d->ctl->conf, &want);
    const char *text = buf_text(&want);
    if (text != NULL && (have == NULL || strcmp(have, text) != 0)) {
        doctor_report(d, read_only ? RESULT_NOTE : RESULT_WARN, "join",
                      have == NULL ? "'" MATCHBLOCK_JOIN_BANNER "' is not there"
                                   : "'" MATCHBLOCK_JOIN_BANNER "' is not what setup writes");
        doctor_why(d, "who is refused is not told that joining needs a key and an open invite");
        if (read_only)
            doctor_mend(d, "where '%s' is mounted from, a file 'join-banner' with this line: %.*s",
                        conf_d, (int)strcspn(text, "\n"), text);
        else
            doctor_mend(d, "leasectl setup");
    }
    free(have);
    buf_release(&want);
}

void check_join(struct doctor_run *d)
{
    const char *login = d->ctl->conf.join_login;
    const unsigned before = d->findings;
    if (*login == '\0')
        return;
    join_account_problems(&d->ctl->conf, report_problem, d);
    check_login_sudo(d, login);
    check_program(d);
    check_tmp(d);
    check_socket(d);
    check_ancestors(d);
    check_registry_of_join(d);
    check_boot(d);
    check_banner(d);
    if (d->findings == before)
        doctor_report(d, RESULT_OK, "join", "'%s' admits any key to join while an invite is open",
                      login);
}
