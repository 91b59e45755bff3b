/* SPDX-License-Identifier: ISC */
/* Does leased run, can only it use its keys and its port, and can it see sessions? */
#include "leasectl/child.h"
#include "leasectl/ctl_store.h"
#include "leasectl/doctor/checks.h"
#include "leasectl/host/healthz.h"
#include "leasectl/host/kernel_ports.h"
#include "leasectl/host/listening.h"
#include "leasectl/host/procview.h"
#include "lib/base/buf.h"
#include "lib/conf/keyfile.h"
#include "lib/session/lock_holder.h"
#include "lib/store/jumps.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { JOURNAL_MS = 2000 };

/* Adds the last line, with its time, that leased.service logged since the boot with this priority
 * or a worse one. Adds nothing where there is none, or no systemd. */
static void last_journal_line(const char *priority, struct buf *out)
{
    const char *const argv[] = {"journalctl", "-q", "-b", "-o",     "short-iso",
                                "-n",         "1",  "-p", priority, "_SYSTEMD_UNIT=leased.service",
                                NULL};
    struct child c;
    if (access("/run/systemd/system", F_OK) != 0)
        return;
    if (child_run(&c, argv, NULL, NULL, JOURNAL_MS) == 0 && buf_text(&c.out_text) != NULL)
        buf_add_mem(out, c.out_text.data, strcspn(buf_text(&c.out_text), "\n"));
    child_release(&c);
}

static void check_key_file(struct doctor_run *d, const char *path, bool may_be_missing)
{
    const struct passwd *daemon = getpwnam("_tunlease");
    struct stat st;
    if (stat(path, &st) != 0) {
        if (errno != ENOENT || !may_be_missing) {
            doctor_report(d, RESULT_FAIL, "key file", "cannot look at '%s': %s", path,
                          strerror(errno));
            doctor_why(d, "leased does not start");
            doctor_mend(d, "%s, or take it out of the configuration (ApiKeyFile)", keyfile_mend);
        }
        return;
    }
    const char *problem = keyfile_trust_problem(&st);
    if (problem == NULL)
        problem = keyfile_secrecy_problem(&st);
    if (problem != NULL) {
        doctor_report(d, RESULT_FAIL, "key file", "'%s' %s", path, problem);
        doctor_why(d, "leased does not start");
        doctor_mend(d, "%s", keyfile_mend);
    } else if (daemon != NULL && st.st_uid != daemon->pw_uid) {
        doctor_report(d, RESULT_WARN, "key file", "'%s' is not _tunlease's", path);
        doctor_why(d, "leased runs as _tunlease and cannot read it");
        doctor_mend(d, "%s", keyfile_mend);
    } else {
        doctor_report(d, RESULT_OK, "key file", "'%s' is for leased alone", path);
    }
}

void check_key_files(struct doctor_run *d)
{
    char path[CONF_ENV_PATH_BYTES];
    keyfile_env_path(d->ctl->conf_file, path);
    check_key_file(d, path, true);
    if (d->ctl->conf.api_key_file[0] != '\0')
        check_key_file(d, d->ctl->conf.api_key_file, false);
}

/* Another process that listens in leased's place gets what agents send, and they believe its
 * answers. */
void check_control_port(struct doctor_run *d)
{
    const struct conf *conf = &d->ctl->conf;
    struct kernel_ports kernel;
    const unsigned first = kernel_ports_read(&kernel) == 0 ? kernel.first_unprivileged : 1024;
    for (size_t i = 0; i < conf->listen_count; i++) {
        char name[PERMIT_TEXT_BYTES];
        const uint16_t port = conf->listen[i].address.low;
        if (conf->listen[i].unix_path[0] != '\0')
            continue;
        permit_format(&conf->listen[i].address, name);
        if (port < first)
            doctor_report(d, RESULT_OK, "control port", "%s is below %u: root's alone to listen on",
                          name, first);
        else if (systemd_listens_on_port(port))
            doctor_report(d, RESULT_OK, "control port",
                          "systemd holds %s, also while leased is down", name);
        else {
            doctor_report(d, RESULT_WARN, "control port",
                          "while leased is down any user can listen on %s", name);
            doctor_why(d, "who listens there is told what agents send, their secrets too");
            doctor_mend(d,
                        "systemctl enable --now leased.socket; or in '%s': a Listen below %u, or "
                        "'Listen unix:/path'",
                        ctl_conf_name(d->ctl), first);
        }
    }
}

/* False: it was reported that leased runs an older program, or that this cannot be told. */
static bool check_leased_program(struct doctor_run *d, pid_t pid)
{
    char program[SSHD_PATH_BYTES];
    bool replaced = false;
    if (d->quick || !proc_view_may_look_inside()) /* check_proc reports the latter */
        return true;
    if (pid == 0 || !sshd_program_of(pid, program, &replaced)) {
        doctor_report(
            d, RESULT_UNKNOWN, "leased",
            "whether the leased that runs is the one that is installed was not asked: its "
            "process cannot be seen from here");
        doctor_why(d, "after an upgrade it goes on as it was until it is restarted");
        doctor_mend(d, "run 'leasectl doctor' where leased runs, not in another container");
        return false;
    }
    if (!replaced)
        return true;
    doctor_report(d, RESULT_WARN, "leased", "'%s' was replaced since leased (pid %d) was started",
                  program, (int)pid);
    doctor_why(d, "the version from before goes on");
    doctor_mend(d,
                "systemctl restart leased, which ends no tunnel; where there is no systemd: stop "
                "pid %d, and start leased again",
                (int)pid);
    return false;
}

/* Does what runs have the program and the configuration that are installed now? False: it was
 * reported that it has not. */
static bool check_leased_is_current(struct doctor_run *d)
{
    char lock[CONF_PATH_BYTES + 16], name[LOCK_HOLDER_NAME_BYTES];
    struct jump_note note;
    struct stat st;
    pid_t pid = 0;
    (void)snprintf(lock, sizeof(lock), "%s-leased", d->ctl->conf.paths.database);
    if (lock_holder_find(lock, &pid, name) != SIGHT_IS)
        pid = 0;
    bool current = check_leased_program(d, pid);
    if (stat(ctl_conf_name(d->ctl), &st) == 0 && ctl_leased_note(d->ctl, &note) &&
        note.conf_read_s != 0 && st.st_ctim.tv_sec > note.conf_read_s) {
        doctor_report(d, RESULT_WARN, "leased", "'%s' was changed since leased read it",
                      ctl_conf_name(d->ctl));
        doctor_why(d, "leased goes on with what it read, and leasectl with what is there now");
        doctor_mend(d, "systemctl reload leased; where there is no systemd: ");
        if (pid != 0)
            doctor_mend(d, "kill -HUP %d", (int)pid);
        else
            doctor_mend(d, "send leased SIGHUP where it runs");
        doctor_mend(d, "; its log says when that is not enough");
        current = false;
    }
    return current;
}

static void check_leased_answer(struct doctor_run *d)
{
    struct buf says = {0};
    char name[CONF_PATH_BYTES + PERMIT_TEXT_BYTES];
    const struct conf_listener *at = healthz_listener(&d->ctl->conf);
    const enum healthz is = healthz_query(&d->ctl->conf, &says);
    const char *text = buf_text_or(&says, "out of memory");
    if (at->unix_path[0] != '\0')
        (void)snprintf(name, sizeof(name), "unix:%s", at->unix_path);
    else
        permit_format(&at->address, name);
    if (is == HEALTHZ_UNWELL) {
        doctor_report(d, RESULT_WARN, "leased", "leased is not well: %s", text);
        doctor_why(d, "what it cannot see or do it does not do: it may end no session");
        doctor_mend(d, "its log says more: journalctl -u leased, or the system log");
    } else if (is == HEALTHZ_NO_ANSWER) {
        doctor_report(d, RESULT_WARN, "leased", "leased runs, and does not answer on %s: %s", name,
                      text);
        doctor_why(d, "agents can neither register nor keep their leases");
        doctor_mend(d, "systemctl restart leased.socket leased; where there is no systemd: stop "
                       "leased, and start it again");
    }
    buf_release(&says);
}

void check_leased(struct doctor_run *d)
{
    struct buf said = {0};
    if (ctl_leased_is_running(d->ctl)) {
        if (check_leased_is_current(d))
            doctor_report(d, RESULT_OK, "leased", "leased runs on this store");
        check_leased_answer(d);
        return;
    }
    if (!d->quick)
        last_journal_line("err", &said);
    if (!d->quick && said.len == 0)
        last_journal_line("debug", &said);
    const char *text = said.len > 0 ? buf_text(&said) : NULL;
    doctor_report(d, RESULT_WARN, "leased", "leased does not run%s%s",
                  text != NULL ? "; leased.service last said: " : "", text != NULL ? text : "");
    doctor_why(d, "logins and leasectl work, but expiry ends no live session, and %s",
               d->ctl->conf.join_login[0] != '\0' ? "nobody can join or register"
                                                  : "agents cannot register");
    doctor_mend(d, "systemctl enable --now leased.socket leased.service; where there is no "
                   "systemd: leased -D");
    buf_release(&said);
}

/* How leased sees /proc, or would if it ran. */
int leased_proc_view(struct doctor_run *d, struct proc_view *ret)
{
    char path[CONF_PATH_BYTES + 16], name[LOCK_HOLDER_NAME_BYTES];
    pid_t pid;
    (void)snprintf(path, sizeof(path), "%s-leased", d->ctl->conf.paths.database);
    if (lock_holder_find(path, &pid, name) == SIGHT_IS && proc_view_of_process(pid, ret) == 0)
        return 0;
    return proc_view_of_user("_tunlease", ret);
}

static const struct group *seeing_group(const struct proc_view *v)
{
    return v->has_gid ? getgrgid(v->gid) : NULL;
}

void mend_proc_view(struct doctor_run *d, const struct proc_view *v)
{
    const struct group *gr = seeing_group(v);
    if (gr != NULL)
        doctor_mend(d,
                    "put 'SupplementaryGroups=%s' below [Service] with 'systemctl edit leased', "
                    "and restart leased",
                    gr->gr_name);
    else
        doctor_mend(d, "make that 'hidepid=2,gid=_tunlease' in /etc/fstab, and run 'mount -o "
                       "remount,hidepid=2,gid=_tunlease /proc'");
}

/*
 * leased has no capability but CAP_KILL. Where /proc hides the processes of other users, it sees no
 * session, and so ends none.
 */
void check_proc(struct doctor_run *d)
{
    struct proc_view v;
    if (leased_proc_view(d, &v) != 0) {
        if (getpwnam("_tunlease") == NULL) {
            doctor_report(d, RESULT_WARN, "proc", "there is no user _tunlease to look at /proc as");
            doctor_why(d, "leased runs as that user");
            doctor_mend(d, "leasectl setup");
        } else {
            doctor_report(d, RESULT_WARN, "proc", "cannot tell what leased sees in /proc: %s",
                          strerror(errno));
            doctor_why(d, "where it cannot see sessions, it ends none");
            doctor_mend(d, "run 'leasectl doctor' as root, outside a container's limits");
        }
        return;
    }
    if (!d->quick && !proc_view_may_look_inside()) {
        doctor_report(d, RESULT_UNKNOWN, "proc",
                      "root has no CAP_SYS_PTRACE here, so which ports sessions have, who listens, "
                      "and which leased runs was not asked");
        doctor_why(d, "'leasectl sessions' cannot show the ports either");
        doctor_mend(d, "'docker run --cap-add SYS_PTRACE', or that capability in "
                       "CapabilityBoundingSet of the unit");
    }
    if (v.sees) {
        doctor_report(d, RESULT_OK, "proc", "/proc shows leased the sessions");
        return;
    }
    const struct group *gr = seeing_group(&v);
    doctor_report(d, RESULT_FAIL, "proc", "/proc is mounted with hidepid=%s%s%s", v.hidepid,
                  gr != NULL ? ",gid=" : "", gr != NULL ? gr->gr_name : "");
    doctor_why(d, "leased cannot see sessions, and ends none at the end of its lease");
    mend_proc_view(d, &v);
}
