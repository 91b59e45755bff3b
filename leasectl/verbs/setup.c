/* SPDX-License-Identifier: ISC */
/*
 * leasectl setup: users, groups, directories, store, PAM profile and sshd's drop-in, each only
 * where it is missing; and back again with --undo, which leaves accounts and leases alone.
 */
#include "leasectl/child.h"
#include "leasectl/host/account.h"
#include "leasectl/host/matchblock.h"
#include "leasectl/host/pam_profile.h"
#include "leasectl/host/sshd.h"
#include "leasectl/host/sshd_terms.h"
#include "leasectl/leasectl.h"
#include "leasectl/doctor/doctor.h"
#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/session/registry.h"
#include "lib/session/run_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <getopt.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DROPIN_BYTES_MAX = 262144 };

static const char service_user[] = "_tunlease";
static const char akc_user[] = "_tunlease-akc";

/* Says what a step does, or would do. */
static void say(const struct ctl *ctl, bool dry_run, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void say(const struct ctl *ctl, bool dry_run, const char *fmt, ...)
{
    struct buf text = {0};
    va_list ap;
    if (ctl->json)
        return;
    va_start(ap, fmt);
    buf_vaddf(&text, fmt, ap);
    va_end(ap);
    text_print(stdout, "%s%s", dry_run ? "would " : "",
               buf_text(&text) != NULL ? buf_text(&text) : "out of memory");
    buf_release(&text);
}

static int failed(const struct ctl *ctl, int code, struct buf *why)
{
    code = ctl_error(ctl, code, "%s", buf_text(why) != NULL ? buf_text(why) : "out of memory");
    buf_release(why);
    return code;
}

/* ---- before anything is changed ---- */

/* Whether a Match line of somebody else's file names login. */
static bool match_line_names(const char *line, const char *login)
{
    char text[1024], *rest = text, *word;
    line += strspn(line, " \t");
    if (strncasecmp(line, "match", 5) != 0 || (line[5] != ' ' && line[5] != '\t'))
        return false;
    (void)snprintf(text, sizeof(text), "%s", line + 5);
    bool user = false;
    while ((word = strsep(&rest, " \t\r\n=")) != NULL) {
        if (*word == '\0')
            continue;
        if (!user) {
            user = strcasecmp(word, "user") == 0;
            continue;
        }
        user = false;
        for (char *pattern; (pattern = strsep(&word, ",")) != NULL;)
            if (fnmatch(pattern, login, 0) == 0)
                return true;
    }
    return false;
}

static bool file_matches_login(const char *path, const char *login)
{
    char line[4096];
    bool found = false;
    FILE *f = fopen(path, "re");
    while (f != NULL && !found && fgets(line, sizeof(line), f) != NULL)
        found = match_line_names(line, login);
    if (f != NULL)
        (void)fclose(f);
    return found;
}

/* A Match block for the login that is not ours: which of the two would win is an accident. */
static int check_foreign_match(const struct ctl *ctl, const char *login)
{
    glob_t files = {0};
    int code = EXIT_DONE;
    (void)glob(TUNLEASE_SYSCONFDIR "/ssh/sshd_config", 0, NULL, &files);
    (void)glob(TUNLEASE_SYSCONFDIR "/ssh/sshd_config.d/*.conf", GLOB_APPEND, NULL, &files);
    for (size_t i = 0; code == EXIT_DONE && i < files.gl_pathc; i++)
        if (strcmp(files.gl_pathv[i], SSHD_DROPIN) != 0 &&
            file_matches_login(files.gl_pathv[i], login))
            code = ctl_error(ctl, EXIT_CONFLICT,
                             "'%s' has a Match block for login '%s': take it out, or name another "
                             "login (ForwardLogin, AgentLogin)",
                             files.gl_pathv[i], login);
    globfree(&files);
    return code;
}

static int check_login(struct ctl *ctl, const char *login)
{
    char path[512];
    if (account_has_authorized_keys(login, path, sizeof(path)))
        return ctl_error(ctl, EXIT_CONFLICT,
                         "login '%s' has keys in '%s', which would stop working: give each holder "
                         "a lease first (leasectl grant NAME --login %s --key FILE), then move the "
                         "file away and run setup again",
                         login, path, login);
    return check_foreign_match(ctl, login);
}

/* ---- the steps ---- */

static int step_group(struct ctl *ctl, const char *group, bool dry_run)
{
    struct buf why = {0};
    if (getgrnam(group) != NULL)
        return EXIT_DONE;
    say(ctl, dry_run, "make group %s", group);
    if (!dry_run && account_make_group(group, &why) != 0)
        return failed(ctl, EXIT_FAILED, &why);
    return EXIT_DONE;
}

static int step_user(struct ctl *ctl, const char *user, bool dry_run)
{
    struct buf why = {0};
    if (getpwnam(user) != NULL)
        return EXIT_DONE;
    say(ctl, dry_run, "make user %s", user);
    if (!dry_run && account_make_service_user(user, service_user, &why) != 0)
        return failed(ctl, EXIT_FAILED, &why);
    return EXIT_DONE;
}

static int step_login(struct ctl *ctl, const char *login, bool dry_run)
{
    struct buf found = {0}, why = {0};
    if (getpwnam(login) != NULL) {
        account_check(login, ctl->conf.tunnel_group, &found);
        bool good = found.len == 0;
        buf_release(&found);
        if (good)
            return EXIT_DONE;
    }
    say(ctl, dry_run, "make tunnel login %s", login);
    if (!dry_run && account_make_login(login, ctl->conf.tunnel_group, &why) != 0)
        return failed(ctl, EXIT_CONFLICT, &why);
    return EXIT_DONE;
}

static int step_directory(struct ctl *ctl, const char *path, mode_t mode, bool dry_run)
{
    struct stat st;
    if (lstat(path, &st) == 0)
        return S_ISDIR(st.st_mode) ? EXIT_DONE
                                   : ctl_error(ctl, EXIT_FAILED, "'%s' is not a directory", path);
    say(ctl, dry_run, "make directory %s", path);
    if (dry_run)
        return EXIT_DONE;
    if (mkdir(path, 0700) != 0 || chmod(path, mode) != 0)
        return ctl_error(ctl, EXIT_FAILED, "cannot make '%s': %s", path, strerror(errno));
    return EXIT_DONE;
}

static int step_run_dir(struct ctl *ctl, bool dry_run)
{
    static const char *const parts[] = {"", "/sessions", "/lock"};
    const char *run_dir = ctl->conf.paths.run_dir;
    char path[CONF_PATH_BYTES + 16];
    struct stat st;
    struct registry r;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s%s", run_dir, parts[i]);
        if (lstat(path, &st) != 0)
            say(ctl, dry_run, "make directory %s", path);
    }
    if (dry_run)
        return EXIT_DONE;
    if (run_dir_open(run_dir, &r) == 0) {
        registry_close(&r);
        return EXIT_DONE;
    }
    if (errno == EPERM)
        return ctl_error(ctl, EXIT_FAILED,
                         "'%s', what is in it and the directory above it must be root's, and "
                         "writable by root alone",
                         run_dir);
    return ctl_error(ctl, EXIT_FAILED, "cannot make or use '%s': %s", run_dir, strerror(errno));
}

static int step_store(struct ctl *ctl, bool dry_run)
{
    struct stat st;
    if (stat(ctl->conf.paths.database, &st) != 0)
        say(ctl, dry_run, "make store %s", ctl->conf.paths.database);
    if (dry_run)
        return EXIT_DONE;
    int code = ctl_open_write(ctl);
    ctl_close(ctl);
    return code;
}

/* The whole of a small file; NULL when it is not there or cannot be read. */
static char *read_file(const char *path)
{
    char *text = NULL;
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return NULL;
    text = calloc(1, DROPIN_BYTES_MAX + 1);
    if (text != NULL)
        text[fread(text, 1, DROPIN_BYTES_MAX, f)] = '\0';
    (void)fclose(f);
    return text;
}

/* Whole or not at all: a new file beside it, then rename(2). */
static int write_file(const struct ctl *ctl, const char *path, const char *text)
{
    char beside[512];
    int code = EXIT_FAILED;
    (void)snprintf(beside, sizeof(beside), "%s.new", path);
    (void)unlink(beside);
    int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0)
        return ctl_error(ctl, EXIT_FAILED, "cannot write '%s': %s", beside, strerror(errno));
    size_t len = strlen(text);
    if (write(fd, text, len) == (ssize_t)len && fchmod(fd, 0644) == 0 && fsync(fd) == 0 &&
        rename(beside, path) == 0)
        code = EXIT_DONE;
    else
        (void)ctl_error(ctl, EXIT_FAILED, "cannot write '%s': %s", path, strerror(errno));
    (void)close(fd);
    if (code != EXIT_DONE)
        (void)unlink(beside);
    return code;
}

static int step_banner(struct ctl *ctl, bool dry_run)
{
    char text[CONF_TEXT_BYTES + 2];
    if (ctl->conf.contact[0] == '\0')
        return EXIT_DONE;
    (void)snprintf(text, sizeof(text), "%s\n", ctl->conf.contact);
    char *old = read_file(MATCHBLOCK_BANNER);
    bool same = old != NULL && strcmp(old, text) == 0;
    free(old);
    if (same)
        return EXIT_DONE;
    say(ctl, dry_run, "write %s", MATCHBLOCK_BANNER);
    return dry_run ? EXIT_DONE : write_file(ctl, MATCHBLOCK_BANNER, text);
}

/* diff -u of what is there and what would be, so that the admin can move the edits over. */
static int refuse_edited(const struct ctl *ctl, const char *wanted)
{
    const char *const argv[] = {"diff",      "-u",      "--label",
                                SSHD_DROPIN, "--label", "what setup would write",
                                SSHD_DROPIN, "-",       NULL};
    struct child c;
    (void)child_run(&c, argv, NULL, wanted, 10000);
    char *rest = c.out_text.len > 0 && !c.out_text.failed ? c.out_text.data : NULL;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;)
        if (rest != NULL)
            text_print(stderr, "%s", line);
    child_release(&c);
    return ctl_error(ctl, EXIT_CONFLICT,
                     "'%s' was edited by hand and is not overwritten: move it away, or make it "
                     "what 'leasectl sshd-config' prints",
                     SSHD_DROPIN);
}

/* The old file, or none, back in its place. */
static void put_back(const struct ctl *ctl, const char *old)
{
    if (old != NULL)
        (void)write_file(ctl, SSHD_DROPIN, old);
    else
        (void)unlink(SSHD_DROPIN);
}

static int activate(struct ctl *ctl, const struct sshd *sshd, const char *old)
{
    struct buf why = {0};
    bool running = false;
    if (sshd_test(sshd, &why) != 0) {
        put_back(ctl, old);
        return ctl_error(ctl, EXIT_FAILED, "sshd -t refuses the new '%s', which was undone: %s",
                         SSHD_DROPIN, buf_text(&why) != NULL ? buf_text(&why) : "");
    }
    if (sshd_reload(sshd, &why, &running) != 0) {
        put_back(ctl, old);
        (void)ctl_error(ctl, EXIT_FAILED, "sshd did not reload, '%s' was undone: %s", SSHD_DROPIN,
                        buf_text(&why) != NULL ? buf_text(&why) : "");
        buf_release(&why);
        (void)sshd_reload(sshd, &why, &running);
        buf_release(&why);
        return EXIT_FAILED;
    }
    if (!running && !sshd->by_systemd)
        ctl_warn(ctl,
                 "no sshd listens on PublicPort (%u) or port 22, so none was told to reload: where "
                 "one runs on another port, tell it ('systemctl reload ssh')",
                 ctl->conf.public_port);
    return EXIT_DONE;
}

static int write_dropin(struct ctl *ctl, const struct sshd *sshd, const struct sshd_terms *terms,
                        bool dry_run)
{
    struct buf text = {0};
    char *old = NULL;
    int code = EXIT_DONE;

    matchblock_format(&ctl->conf, ctl->conf_file, terms, &text);
    const char *wanted = buf_text(&text);
    if (wanted == NULL) {
        code = ctl_error(ctl, EXIT_FAILED, "out of memory");
        goto out;
    }
    old = read_file(SSHD_DROPIN);
    if (old != NULL && strcmp(old, wanted) == 0)
        goto out;
    if (old != NULL && !matchblock_is_unedited(old)) {
        code = refuse_edited(ctl, wanted);
        goto out;
    }
    say(ctl, dry_run, "write %s and reload sshd", SSHD_DROPIN);
    if (dry_run)
        goto out;
    code = write_file(ctl, SSHD_DROPIN, wanted);
    if (code == EXIT_DONE)
        code = activate(ctl, sshd, old);
out:
    free(old);
    buf_release(&text);
    return code;
}

/* Where sshd was upgraded and not restarted, the reload brings the new one: then once more. */
static int step_sshd(struct ctl *ctl, bool dry_run)
{
    enum { PASSES = 2 };
    struct sshd_terms terms, before = {.version = {0, 0}};
    struct sshd sshd;
    struct buf why = {0};
    int code = EXIT_DONE;

    for (int pass = 0; code == EXIT_DONE && pass < (dry_run ? 1 : PASSES); pass++) {
        if (sshd_find(&ctl->conf, &sshd, &why) != 0 || sshd_ask_terms(&sshd, &terms, &why) != 0)
            return failed(ctl, EXIT_FAILED, &why);
        if (pass > 0 && sshd_same_version(&before.version, &terms.version))
            break;
        before = terms;
        code = write_dropin(ctl, &sshd, &terms, dry_run);
    }
    return code;
}

/* Last but sshd: from here on no tunnel login has any session but a leased tunnel. */
static int step_pam(struct ctl *ctl, bool dry_run)
{
    struct buf wanted = {0}, found = {0}, why = {0};
    int code = EXIT_DONE;
    char *old = read_file(PAM_PROFILE);

    pam_profile_format(ctl, &wanted);
    pam_profile_check(ctl, &found);
    if (buf_text(&wanted) == NULL) {
        code = ctl_error(ctl, EXIT_FAILED, "out of memory");
        goto out;
    }
    bool same = old != NULL && strcmp(old, buf_text(&wanted)) == 0;
    if (same && found.len == 0)
        goto out;
    if (!pam_profile_can_apply()) {
        ctl_warn(ctl, "this host has no pam-auth-update: put pam_tunnel.so first into the auth, "
                      "account and session stacks yourself, as pam_tunnel(8) shows");
        goto out;
    }
    say(ctl, dry_run, "add pam_tunnel to the PAM stacks (pam-auth-update)");
    if (dry_run)
        goto out;
    if (!same)
        code = write_file(ctl, PAM_PROFILE, buf_text(&wanted));
    if (code == EXIT_DONE && pam_profile_apply(ctl, &why) != 0)
        code = failed(ctl, EXIT_FAILED, &why);
out:
    free(old);
    buf_release(&wanted);
    buf_release(&found);
    return code;
}

/* Before the module could go: a stack that names a missing one only logs it, but each time. */
static int undo_pam(struct ctl *ctl, bool dry_run)
{
    struct buf why = {0};
    if (!pam_profile_is_applied())
        return EXIT_DONE;
    if (!pam_profile_can_apply()) {
        ctl_warn(ctl, "this host has no pam-auth-update: take pam_tunnel.so out of the PAM stacks "
                      "yourself, before the module goes");
        return EXIT_DONE;
    }
    say(ctl, dry_run, "take pam_tunnel out of the PAM stacks (pam-auth-update)");
    if (dry_run || pam_profile_remove(&why) == 0)
        return EXIT_DONE;
    return failed(ctl, EXIT_FAILED, &why);
}

static int setup(struct ctl *ctl, bool dry_run)
{
    int code = account_refuse_people(ctl);
    if (code == EXIT_DONE)
        code = check_login(ctl, ctl->conf.forward_login);
    if (code == EXIT_DONE)
        code = check_login(ctl, ctl->conf.agent_login);
    if (code == EXIT_DONE)
        code = step_group(ctl, service_user, dry_run);
    if (code == EXIT_DONE)
        code = step_group(ctl, ctl->conf.tunnel_group, dry_run);
    if (code == EXIT_DONE)
        code = step_user(ctl, service_user, dry_run);
    if (code == EXIT_DONE)
        code = step_user(ctl, akc_user, dry_run);
    if (code == EXIT_DONE)
        code = step_login(ctl, ctl->conf.forward_login, dry_run);
    if (code == EXIT_DONE)
        code = step_login(ctl, ctl->conf.agent_login, dry_run);
    if (code == EXIT_DONE)
        code = step_directory(ctl, TUNLEASE_SYSCONFDIR "/tunlease", 0755, dry_run);
    if (code == EXIT_DONE)
        code = step_run_dir(ctl, dry_run);
    if (code == EXIT_DONE)
        code = step_store(ctl, dry_run);
    if (code == EXIT_DONE)
        code = step_banner(ctl, dry_run);
    if (code == EXIT_DONE)
        code = step_pam(ctl, dry_run);
    if (code == EXIT_DONE)
        code = step_directory(ctl, TUNLEASE_SYSCONFDIR "/ssh/sshd_config.d", 0755, dry_run);
    if (code == EXIT_DONE)
        code = step_sshd(ctl, dry_run);
    if (code != EXIT_DONE || dry_run)
        return code;
    ctl_changed(ctl, "this host is set up");
    return doctor_run(ctl);
}

static int undo_sshd(struct ctl *ctl, const char *old, bool dry_run)
{
    if (!matchblock_is_unedited(old))
        return ctl_error(ctl, EXIT_CONFLICT,
                         "'%s' was edited by hand: remove it yourself, then "
                         "reload sshd",
                         SSHD_DROPIN);
    say(ctl, dry_run, "remove %s and reload sshd", SSHD_DROPIN);
    if (dry_run)
        return EXIT_DONE;
    struct sshd sshd;
    struct buf why = {0};
    if (sshd_find(&ctl->conf, &sshd, &why) != 0)
        return failed(ctl, EXIT_FAILED, &why);
    if (unlink(SSHD_DROPIN) != 0)
        return ctl_error(ctl, EXIT_FAILED, "cannot remove '%s': %s", SSHD_DROPIN, strerror(errno));
    (void)unlink(MATCHBLOCK_BANNER);
    ctl_changed(ctl, "removed %s", SSHD_DROPIN);
    return activate(ctl, &sshd, old);
}

/* Each half by itself: one may be gone already, by hand or by an undo that failed half way. */
static int undo(struct ctl *ctl, bool dry_run)
{
    int code = EXIT_DONE;
    char *old = read_file(SSHD_DROPIN);
    if (old == NULL && !pam_profile_is_applied()) {
        say(ctl, false, "there is nothing to undo: '%s' is not there, nor pam_tunnel in PAM",
            SSHD_DROPIN);
        return EXIT_DONE;
    }
    if (old != NULL)
        code = undo_sshd(ctl, old, dry_run);
    if (code == EXIT_DONE)
        code = undo_pam(ctl, dry_run);
    if (code == EXIT_DONE && !dry_run)
        say(ctl, false,
            "accounts, leases and configuration are left as they are; no lease opens "
            "anything until 'leasectl setup' is run again");
    free(old);
    return code;
}

int cmd_setup(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {
        {"dry-run", no_argument, NULL, 'n'}, {"undo", no_argument, NULL, 'u'}, {NULL, 0, NULL, 0}};
    bool dry_run = false, undoing = false;
    int opt;
    while ((opt = ctl_option(ctl, argc, argv, options)) != -1) {
        switch (opt) {
        case 'n':
            dry_run = true;
            break;
        case 'u':
            undoing = true;
            break;
        default:
            return EXIT_USAGE;
        }
    }
    if (optind != argc)
        return ctl_usage(ctl, "setup takes no names");
    if (geteuid() != 0 && !dry_run)
        return ctl_error(ctl, EXIT_FAILED, "setup changes the system: sudo leasectl setup");
    return undoing ? undo(ctl, dry_run) : setup(ctl, dry_run);
}
