/* SPDX-License-Identifier: ISC */
/* leasectl doctor: is everything as it must be for leases to hold? */
#include "leasectl/verbs/doctor.h"

#include "leasectl/child.h"
#include "leasectl/host/account.h"
#include "leasectl/host/matchblock.h"
#include "leasectl/host/pam_profile.h"
#include "leasectl/host/procview.h"
#include "leasectl/host/sshd.h"
#include "leasectl/host/sshd_terms.h"
#include "leasectl/sessions/live.h"
#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/conf/keyfile.h"
#include "lib/lease/duration.h"
#include "lib/session/lock_holder.h"
#include "lib/wire/json.h"

#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char akc_path[] = TUNLEASE_LIBEXECDIR "/tunlease/akc";

enum { JOURNAL_MS = 2000 };

enum result { RESULT_OK, RESULT_WARN, RESULT_FAIL };

struct doctor {
    struct ctl *ctl;
    unsigned failed;
    unsigned printed;
    struct sshd sshd;
    struct sshd_terms terms;
    bool has_terms; /* what sshd takes is known */
    bool no_dropin; /* setup's file is not there; its blocks may stand elsewhere */
};

static void report(struct doctor *d, enum result result, const char *check, const char *detail)
{
    static const char *const words[] = {"ok", "warning", "FAIL"};
    static const char *const colours[] = {"\033[32m", "\033[33m", "\033[31m"};
    struct buf json = {0}, fit = {0};
    const struct json_field fields[] = {
        {.name = "check", .text = check},
        {.name = "result", .text = result == RESULT_FAIL ? "fail" : words[result]},
        {.name = "detail", .text = detail}};

    if (result == RESULT_FAIL)
        d->failed++;
    text_add_fit(&fit, detail);
    const char *shown = buf_text(&fit) != NULL ? buf_text(&fit) : "out of memory";
    if (d->ctl->json) {
        if (json_object_line(fields, 3, &json) == 0)
            (void)printf("%s%s", d->printed++ > 0 ? ",\n" : "", buf_text(&json));
    } else if (d->ctl->terminal) {
        (void)printf("%s%-8s%s %-12s %s\n", d->ctl->colour ? colours[result] : "", words[result],
                     d->ctl->colour ? "\033[0m" : "", check, shown);
    } else {
        (void)printf("%s\t%s\t%s\n", words[result], check, shown);
    }
    buf_release(&json);
    buf_release(&fit);
}

static void reportf(struct doctor *d, enum result result, const char *check, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static void reportf(struct doctor *d, enum result result, const char *check, const char *fmt, ...)
{
    struct buf text = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_vaddf(&text, fmt, ap);
    va_end(ap);
    report(d, result, check, buf_text(&text) != NULL ? buf_text(&text) : "out of memory");
    buf_release(&text);
}

/* sshd runs the command only when it and every directory above it is root's, and only root can
 * write there (sshd_config(5), AuthorizedKeysCommand). */
static void check_akc_path(struct doctor *d)
{
    char path[512];
    struct stat st;
    (void)snprintf(path, sizeof(path), "%s", akc_path);
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || (st.st_mode & S_IXOTH) == 0) {
        reportf(d, RESULT_FAIL, "akc", "'%s' is missing or not executable for all", akc_path);
        return;
    }
    for (;;) {
        if (stat(path, &st) != 0 || st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
            reportf(d, RESULT_FAIL, "akc",
                    "'%s' must be root's and writable by root alone, or sshd "
                    "does not run akc",
                    path);
            return;
        }
        char *slash = strrchr(path, '/');
        if (slash == path && path[1] == '\0')
            break;
        slash[slash == path ? 1 : 0] = '\0';
    }
    reportf(d, RESULT_OK, "akc", "'%s' is where sshd will run it", akc_path);
}

/* The store through the eyes of the user that sshd runs akc as. */
static void check_store(struct doctor *d)
{
    const struct conf *conf = &d->ctl->conf;
    const char *argv[8] = {"setpriv", "--reuid=_tunlease-akc", "--regid=_tunlease",
                           "--clear-groups", akc_path};
    size_t n = 5;
    struct child c;

    if (getpwnam("_tunlease-akc") == NULL) {
        report(d, RESULT_FAIL, "store",
               "there is no user _tunlease-akc for sshd to run akc as: "
               "'leasectl setup' makes it");
        return;
    }
    if (d->ctl->conf_file != NULL) {
        argv[n++] = "-c";
        argv[n++] = d->ctl->conf_file;
    }
    argv[n] = conf->forward_login;
    int status = child_run(&c, argv, NULL, NULL, 5000);
    if (status == 0)
        reportf(d, RESULT_OK, "store", "'%s' answers akc as the user _tunlease-akc",
                conf->paths.database);
    else
        reportf(d, RESULT_FAIL, "store",
                "akc as _tunlease-akc cannot use '%s' (exit %d): nobody can "
                "log in; the reason is in the system log",
                conf->paths.database, status);
    child_release(&c);
}

static int report_freeze(void *arg, const char *login, int64_t since_s)
{
    char since[TIME_TEXT_BYTES];
    time_format_local(since_s, since);
    reportf(arg, RESULT_WARN, "freeze", "%s frozen since %s: nobody gets in until it is thawed",
            strcmp(login, "*") == 0 ? "all tunnel logins are" : login, since);
    return 0;
}

static void check_freezes(struct doctor *d)
{
    if (ctl_open_read(d->ctl) != EXIT_DONE) /* said by check_store, too */
        return;
    (void)store_freeze_list(d->ctl->store, report_freeze, d);
    ctl_close(d->ctl);
}

static void check_login(struct doctor *d, const char *login)
{
    struct buf found = {0};
    account_check(login, d->ctl->conf.tunnel_group, &found);
    if (found.len == 0) {
        reportf(d, RESULT_OK, "login", "'%s' is as it should be", login);
    } else {
        const char *text = buf_text(&found);
        reportf(d, RESULT_FAIL, "login", "'%s': %.*s; 'leasectl login check %s' says all", login,
                (int)strcspn(text != NULL ? text : "", "\n"), text != NULL ? text : "", login);
    }
    buf_release(&found);
}

/*
 * sshd -T prints a list sorted its own way only for PermitOpen and PermitListen: one value a line
 * in 9.2's Match output, so the words are compared, not the line.
 */
static bool same_words(const char *want, const char *have)
{
    char word[PERMIT_TEXT_BYTES];
    size_t want_words = 0, have_words = 0;
    for (const char *p = want; *p != '\0'; p += strspn(p, " ")) {
        size_t len = strcspn(p, " ");
        if (len >= sizeof(word))
            return false;
        memcpy(word, p, len);
        word[len] = '\0';
        const char *hit = have;
        while ((hit = strstr(hit, word)) != NULL &&
               ((hit != have && hit[-1] != ' ') || (hit[len] != ' ' && hit[len] != '\0')))
            hit++;
        if (hit == NULL)
            return false;
        want_words++;
        p += len;
    }
    for (const char *p = have; *p != '\0'; p += strspn(p, " ")) {
        p += strcspn(p, " ");
        have_words++;
    }
    return want_words == have_words;
}

/* What sshd says for this login against what the blocks would set. */
static void check_effective(struct doctor *d, const char *login)
{
    char keyword[64], have[1024];
    struct buf expected = {0}, effective = {0};
    unsigned wrong = 0;

    if (sshd_effective(&d->sshd, login, &effective) != 0) {
        reportf(d, RESULT_FAIL, "sshd", "sshd -T fails for '%s': %s", login,
                buf_text(&effective) != NULL ? buf_text(&effective) : "");
        goto out;
    }
    matchblock_expected(&d->ctl->conf, d->ctl->conf_file, &d->terms, login, &expected);
    for (const char *line = buf_text(&expected); line != NULL && *line != '\0';) {
        size_t len = strcspn(line, "\n"), word = strcspn(line, " ");
        char want[1024];
        (void)snprintf(keyword, sizeof(keyword), "%.*s", (int)word, line);
        (void)snprintf(want, sizeof(want), "%.*s", (int)(len - word - 1), line + word + 1);
        sshd_setting(&effective, keyword, have, sizeof(have));
        /* Some values have no line at all where they are at none or zero. */
        bool absent_is_none = have[0] == '\0' && strcmp(want, "none") == 0;
        if (!absent_is_none && strcmp(want, have) != 0 && !same_words(want, have) &&
            !(strcmp(keyword, "unusedconnectiontimeout") == 0 && strcmp(have, "none") == 0)) {
            wrong++;
            if (d->no_dropin) { /* one line in place of one for each setting */
                reportf(d, RESULT_FAIL, "sshd",
                        "for '%s' the Match blocks are not in force ('%s' is not there, and %s is "
                        "'%s', not '%s'): run 'leasectl setup'",
                        login, SSHD_DROPIN, keyword, have, want);
                break;
            }
            reportf(d, RESULT_FAIL, "sshd",
                    "for '%s' %s is '%s', not '%s': another Match block "
                    "stands before ours, or 'leasectl setup' was not run",
                    login, keyword, have, want);
        }
        line += len + (line[len] == '\n' ? 1 : 0);
    }
    if (wrong == 0)
        reportf(d, RESULT_OK, "sshd", "for '%s' every setting of the Match blocks is in force",
                login);
    sshd_setting(&effective, "usepam", have, sizeof(have));
    if (strcmp(have, "yes") != 0)
        report(d, RESULT_FAIL, "sshd",
               "UsePAM is not yes: pam_tunnel is never asked, so live sessions are not registered "
               "and nothing ends them, and a locked account ('!') refuses its keys");
out:
    buf_release(&expected);
    buf_release(&effective);
}

static int check_member(void *arg, const char *login)
{
    struct doctor *d = arg;
    check_login(d, login);
    if (d->has_terms)
        check_effective(d, login);
    return 0;
}

/* Upgraded, and not restarted: the old one starts the new one for each login. */
static void check_running(struct doctor *d)
{
    static const char advice[] =
        "restart it ('systemctl restart ssh' or 'sshd'): live connections stay";
    struct sshd_version v = d->terms.running;
    const char *path = d->sshd.path;
    if (v.major != 0 && !sshd_same_version(&v, &d->sshd.program))
        reportf(d, RESULT_WARN, "sshd",
                "what answers on port %u is OpenSSH %u.%u, and '%s' is %u.%u: name the right one "
                "(Sshd)",
                d->sshd.port, v.major, v.minor, path, d->sshd.program.major, d->sshd.program.minor);
    else if (d->sshd.replaced && sshd_listener_version(&d->sshd, &v) &&
             !sshd_same_version(&v, &d->sshd.program))
        reportf(d, RESULT_WARN, "sshd", "OpenSSH %u.%u listens still, and '%s' is %u.%u by now: %s",
                v.major, v.minor, path, d->sshd.program.major, d->sshd.program.minor, advice);
    else if (d->sshd.replaced)
        reportf(d, RESULT_WARN, "sshd", "'%s' was replaced since sshd was started: %s", path,
                advice);
}

/* akc prints times for the zone that the drop-in names, and sshd reads them in its own. */
static void check_zone(struct doctor *d, const char *dropin)
{
    struct buf made_for = {0}, is = {0};
    matchblock_made_for_zone(dropin, &made_for);
    if (!sshd_reads_utc(&d->terms.version))
        matchblock_zone(&d->terms.zone, &is);
    const char *was = made_for.len > 0 ? buf_text(&made_for) : "",
               *now = is.len > 0 ? buf_text(&is) : "";
    if (was == NULL || now == NULL)
        report(d, RESULT_FAIL, "time zone", "out of memory");
    else if (*was != '\0' && *now != '\0' && strcmp(was, now) != 0)
        reportf(d, RESULT_FAIL, "time zone",
                "akc prints the ends of leases for an sshd with %s, and this one has %s: run "
                "'leasectl setup'",
                was, now);
    else if (*now != '\0')
        reportf(d, RESULT_OK, "time zone",
                "OpenSSH %u.%u reads no UTC: akc prints the ends of leases for it with %s",
                d->terms.version.major, d->terms.version.minor, now);
    buf_release(&made_for);
    buf_release(&is);
}

/* Whether what setup has written is for the sshd that there is now. */
static void check_dropin(struct doctor *d)
{
    struct sshd_version made_for;
    struct buf now = {0};
    char *text = matchblock_read_dropin();
    const char *version = text;
    if (text == NULL) /* check_effective says what is missing */
        return;
    if (matchblock_version(version, &made_for) &&
        !sshd_same_version(&made_for, &d->terms.version)) {
        matchblock_format(&d->ctl->conf, d->ctl->conf_file, &d->terms, &now);
        const char *blocks = strstr(text, "\n\n"), *wanted = NULL;
        if (buf_text(&now) != NULL)
            wanted = strstr(buf_text(&now), "\n\n");
        if (blocks == NULL || wanted == NULL || strcmp(blocks, wanted) != 0)
            reportf(d, RESULT_FAIL, "sshd",
                    "'%s' was made for OpenSSH %u.%u, and %u.%u serves now: run 'leasectl setup'",
                    SSHD_DROPIN, made_for.major, made_for.minor, d->terms.version.major,
                    d->terms.version.minor);
    }
    check_zone(d, text);
    buf_release(&now);
    free(text);
}

static void check_sshd(struct doctor *d)
{
    struct buf why = {0};
    if (sshd_find(&d->ctl->conf, &d->sshd, &why) != 0)
        reportf(d, RESULT_FAIL, "sshd", "%s", buf_text(&why) != NULL ? buf_text(&why) : "");
    else if (sshd_ask_terms(&d->sshd, &d->terms, &why) != 0)
        reportf(d, RESULT_FAIL, "sshd", "'%s', %s: %s", d->sshd.path, d->sshd.how,
                buf_text(&why) != NULL ? buf_text(&why) : "");
    else if (sshd_test(&d->sshd, &why) != 0)
        reportf(d, RESULT_FAIL, "sshd", "'%s -t' refuses the configuration: %s", d->sshd.path,
                buf_text(&why) != NULL ? buf_text(&why) : "");
    else
        d->has_terms = true;
    buf_release(&why);
    if (!d->has_terms)
        return;
    reportf(d, RESULT_OK, "sshd", "'%s' (OpenSSH %u.%u), %s, takes its configuration", d->sshd.path,
            d->sshd.program.major, d->sshd.program.minor, d->sshd.how);
    check_running(d);
    d->no_dropin = access(SSHD_DROPIN, F_OK) != 0 && errno == ENOENT;
    check_dropin(d);
}

/* Without the module in the stack nothing registers sessions: revocation and expiry end none. */
static void check_pam(struct doctor *d)
{
    struct buf found = {0};
    pam_profile_check(d->ctl, &found);
    const char *text = buf_text(&found);
    if (text != NULL && *text == '\0')
        report(d, RESULT_OK, "pam", "pam_tunnel stands in the auth, account and session stacks");
    else
        reportf(d, RESULT_FAIL, "pam",
                "%.*s: live sessions are then not registered, and nothing ends "
                "them; 'leasectl setup' adds it",
                (int)strcspn(text != NULL ? text : "", "\n"),
                text != NULL ? text : "out of memory");
    buf_release(&found);
    if (access(TUNLEASE_PAMDIR "/pam_tunnel.so", R_OK) != 0)
        reportf(d, RESULT_FAIL, "pam", "'%s' is missing: the stacks pass over it",
                TUNLEASE_PAMDIR "/pam_tunnel.so");
}

/* The registry, and who is connected without being in it. */
static void check_registry(struct doctor *d)
{
    struct registry r = REGISTRY_CLOSED;
    struct session_list list;
    const char *run_dir = d->ctl->conf.paths.run_dir;
    if (registry_open(run_dir, true, &r) != 0) {
        if (errno == ENOENT)
            reportf(d, RESULT_WARN, "registry",
                    "'%s', or a part of it, is missing: the next login makes it, or 'leasectl "
                    "setup'; what was up before is in no registry",
                    run_dir);
        else
            reportf(d, RESULT_FAIL, "registry",
                    "'%s/sessions' and '%s/lock' cannot be used (%s): pam_tunnel refuses every "
                    "login; both, and '%s', have to be root's",
                    run_dir, run_dir, errno == EPERM ? "others may write them" : strerror(errno),
                    run_dir);
        return;
    }
    if (registry_read(&r, 0, &list) != 0) {
        reportf(d, RESULT_FAIL, "registry", "'%s/sessions' cannot be read: %s", run_dir,
                strerror(errno));
        registry_close(&r);
        return;
    }
    if (list.unseen > 0)
        reportf(d, RESULT_FAIL, "registry",
                "%zu session%s cannot be seen: %s; nothing here ends %s", list.unseen,
                list.unseen == 1 ? "" : "s", session_unseen_reason(list.unseen_why),
                list.unseen == 1 ? "it" : "them");
    size_t unregistered = 0;
    const enum sight sight = live_unregistered(d->ctl, &r, &unregistered);
    if (sight == SIGHT_CANNOT_TELL)
        reportf(d, RESULT_FAIL, "registry",
                "it cannot be told whether every connection of tunnel logins is in it: %s",
                session_unseen_reason(errno));
    else if (unregistered > 0)
        reportf(
            d, RESULT_FAIL, "registry",
            "%zu connection%s of tunnel logins %s in no entry of '%s/sessions': nothing can end "
            "%s but 'kill PID'",
            unregistered, unregistered == 1 ? "" : "s", unregistered == 1 ? "is" : "are", run_dir,
            unregistered == 1 ? "it" : "them");
    else
        reportf(d, RESULT_OK, "registry",
                "'%s/sessions' has %zu live session%s, and every one there is", run_dir, list.count,
                list.count == 1 ? "" : "s");
    session_list_release(&list);
    registry_close(&r);
}

/* The last line that leased.service logged since the boot, of this priority or worse, with its
 * time.
 * "" where there is none, or no systemd. */
static void last_line(const char *priority, struct buf *out)
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

static void check_key_file(struct doctor *d, const char *path, bool may_be_missing)
{
    const struct passwd *daemon = getpwnam("_tunlease");
    struct stat st;
    if (stat(path, &st) != 0) {
        if (errno != ENOENT || !may_be_missing)
            reportf(d, RESULT_FAIL, "key file", "cannot look at '%s': %s; leased does not start",
                    path, strerror(errno));
        return;
    }
    const char *problem = keyfile_trust_problem(&st);
    if (problem == NULL)
        problem = keyfile_secrecy_problem(&st);
    if (problem != NULL)
        reportf(d, RESULT_FAIL, "key file", "'%s' %s: leased does not start; %s", path, problem,
                keyfile_mend);
    else if (daemon != NULL && st.st_uid != daemon->pw_uid)
        reportf(d, RESULT_WARN, "key file", "'%s' is not _tunlease's, as whom leased runs: %s",
                path, keyfile_mend);
    else
        reportf(d, RESULT_OK, "key file", "'%s' is for leased alone", path);
}

static void check_key_files(struct doctor *d)
{
    char path[CONF_ENV_PATH_BYTES];
    keyfile_env_path(d->ctl->conf_file, path);
    check_key_file(d, path, true);
    if (d->ctl->conf.api_key_file[0] != '\0')
        check_key_file(d, d->ctl->conf.api_key_file, false);
}

/*
 * leased has CAP_KILL alone: where /proc hides the processes of others, it sees no session, and
 * what it cannot see it does not end.
 */
static void check_proc(struct doctor *d)
{
    static const char consequence[] =
        "leased cannot see sessions, and ends none at the end of its lease";
    char path[CONF_PATH_BYTES + 16], name[LOCK_HOLDER_NAME_BYTES];
    struct proc_view v;
    pid_t pid;
    (void)snprintf(path, sizeof(path), "%s-leased", d->ctl->conf.paths.database);
    bool runs = lock_holder_find(path, &pid, name) == SIGHT_IS;
    if ((!runs || proc_view_of_process(pid, &v) != 0) && proc_view_of_user("_tunlease", &v) != 0) {
        if (getpwnam("_tunlease") == NULL)
            report(d, RESULT_WARN, "proc",
                   "there is no user _tunlease to look at /proc as: 'leasectl setup' makes it");
        else
            reportf(d, RESULT_WARN, "proc", "cannot tell what leased sees in /proc: %s",
                    strerror(errno));
        return;
    }
    const struct group *gr = v.has_gid ? getgrgid(v.gid) : NULL;
    if (v.sees)
        report(d, RESULT_OK, "proc", "/proc shows leased the sessions");
    else if (v.has_gid && gr != NULL)
        reportf(d, RESULT_FAIL, "proc",
                "/proc is mounted with hidepid=%s,gid=%s: %s; put 'SupplementaryGroups=%s' below "
                "[Service] with 'systemctl edit leased', and restart leased",
                v.hidepid, gr->gr_name, consequence, gr->gr_name);
    else
        reportf(d, RESULT_FAIL, "proc",
                "/proc is mounted with hidepid=%s: %s; make that 'hidepid=2,gid=_tunlease' in "
                "/etc/fstab, and 'mount -o remount,hidepid=2,gid=_tunlease /proc'",
                v.hidepid, consequence);
}

/* The first port that any user may listen on, ip(7). */
static unsigned first_free_port(void)
{
    unsigned port = 1024;
    FILE *f = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
    if (f != NULL && fscanf(f, "%u", &port) != 1)
        port = 1024;
    if (f != NULL)
        (void)fclose(f);
    return port;
}

/* Whoever listens in leased's place is told what agents send, and what it answers they believe. */
static void check_control_port(struct doctor *d)
{
    const struct conf *conf = &d->ctl->conf;
    const unsigned first = first_free_port();
    for (size_t i = 0; i < conf->listen_count; i++) {
        char name[PERMIT_TEXT_BYTES];
        const uint16_t port = conf->listen[i].address.low;
        if (conf->listen[i].unix_path[0] != '\0')
            continue;
        permit_format(&conf->listen[i].address, name);
        if (port < first)
            reportf(d, RESULT_OK, "control port", "%s is below %u: root's alone to listen on", name,
                    first);
        else if (sshd_port_is_systemds(port))
            reportf(d, RESULT_OK, "control port", "%s is held by systemd while leased is down",
                    name);
        else
            reportf(d, RESULT_WARN, "control port",
                    "while leased is down any user can listen on %s and is told what agents send "
                    "there: 'systemctl enable --now leased.socket', or a Listen below %u or unix:",
                    name, first);
    }
}

static void check_leased(struct doctor *d)
{
    struct buf said = {0};
    if (ctl_leased_runs(d->ctl)) {
        report(d, RESULT_OK, "leased", "leased runs on this store");
        return;
    }
    last_line("err", &said);
    if (said.len == 0)
        last_line("debug", &said);
    const char *text = said.len > 0 ? buf_text(&said) : NULL;
    reportf(d, RESULT_WARN, "leased",
            "leased does not run: logins and leasectl work, but expiry ends no live session, and "
            "agents cannot register%s%s",
            text != NULL ? "; leased.service last said: " : "", text != NULL ? text : "");
    buf_release(&said);
}

static void check_public_host(struct doctor *d)
{
    const char *host = d->ctl->conf.public_host;
    if (strchr(host, '.') == NULL && strchr(host, ':') == NULL)
        reportf(d, RESULT_WARN, "public host",
                "'%s' has no dot: friends elsewhere cannot resolve it; "
                "set PublicHost",
                host);
    else
        reportf(d, RESULT_OK, "public host", "friends are told to connect to '%s' port %u", host,
                d->ctl->conf.public_port);
}

int doctor_run(struct ctl *ctl)
{
    struct doctor d = {.ctl = ctl};
    if (ctl->json)
        (void)putchar('[');
    reportf(&d, RESULT_OK, "conf", "'%s' is well formed",
            ctl->conf_file != NULL ? ctl->conf_file : CONF_DEFAULT_FILE);
    check_akc_path(&d);
    check_store(&d);
    check_freezes(&d);
    check_sshd(&d);
    if (getgrnam(ctl->conf.tunnel_group) == NULL)
        reportf(&d, RESULT_FAIL, "login",
                "there is no group '%s' (TunnelGroup): 'leasectl setup' "
                "makes it",
                ctl->conf.tunnel_group);
    else
        (void)account_each(ctl->conf.tunnel_group, check_member, &d);
    if (!account_in_group(ctl->conf.forward_login, ctl->conf.tunnel_group))
        reportf(&d, RESULT_FAIL, "login", "ForwardLogin '%s' is not in the tunnel group",
                ctl->conf.forward_login);
    if (!account_in_group(ctl->conf.agent_login, ctl->conf.tunnel_group))
        reportf(&d, RESULT_FAIL, "login", "AgentLogin '%s' is not in the tunnel group",
                ctl->conf.agent_login);
    check_pam(&d);
    check_registry(&d);
    check_key_files(&d);
    check_control_port(&d);
    check_leased(&d);
    check_proc(&d);
    check_public_host(&d);
    if (ctl->json)
        (void)puts("]");
    return d.failed == 0 ? EXIT_DONE : EXIT_FAILED;
}

int cmd_doctor(struct ctl *ctl, int argc, char **argv)
{
    static const struct option none[] = {{NULL, 0, NULL, 0}};
    if (ctl_option(ctl, argc, argv, none) != -1)
        return EXIT_USAGE;
    if (optind != argc)
        return ctl_usage(ctl, "doctor takes no arguments");
    if (geteuid() != 0)
        return ctl_error(ctl, EXIT_FAILED,
                         "doctor looks where only root may: sudo leasectl doctor");
    return doctor_run(ctl);
}
