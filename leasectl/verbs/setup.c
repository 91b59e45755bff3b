/* SPDX-License-Identifier: ISC */
/*
 * leasectl setup: users, groups, directories, store, PAM profile and sshd's drop-in, each only
 * where it is missing; and back again with --undo, which leaves the tunnel logins and the leases
 * alone.
 */
#include "leasectl/ctl_store.h"
#include "leasectl/doctor/doctor.h"
#include "leasectl/host/account.h"
#include "leasectl/host/join_unit.h"
#include "leasectl/host/matchblock.h"
#include "leasectl/host/pam_profile.h"
#include "leasectl/host/sshd.h"
#include "leasectl/setup/say.h"
#include "leasectl/setup/steps.h"
#include "leasectl/verbs.h"

#include <bsd/string.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The last words: nothing else of setup starts leased. */
static void say_how_leased_starts(const struct ctl *ctl)
{
    if (ctl_leased_is_running(ctl))
        return;
    const char *how = "leased -D";
    if (access("/run/systemd/system", F_OK) == 0)
        how = ctl->conf.join_login[0] != '\0'
                  ? "systemctl enable --now leased.socket " JOIN_UNIT " leased.service"
                  : "systemctl enable --now leased.socket leased.service";
    setup_say(ctl, false,
              "next, start leased: %s (without it live tunnels outlive the end of their leases, "
              "and %s)",
              how,
              ctl->conf.join_login[0] != '\0' ? "nobody can join or register"
                                              : "agents cannot register");
}

/* What import needs, and what changes nothing for anybody: the store and its owner. */
static int prepare(struct ctl *ctl, bool dry_run)
{
    int code = step_group(ctl, SETUP_SERVICE_USER, dry_run);
    if (code == EXIT_DONE)
        code = step_group(ctl, ctl->conf.tunnel_group, dry_run);
    if (code == EXIT_DONE)
        code = step_user(ctl, SETUP_SERVICE_USER, dry_run);
    if (code == EXIT_DONE)
        code = step_user(ctl, SETUP_AKC_USER, dry_run);
    return code;
}

static int make_store(struct ctl *ctl, bool dry_run)
{
    int code = step_directory(ctl, TUNLEASE_SYSCONFDIR "/tunlease", 0755, dry_run);
    if (code == EXIT_DONE)
        code = step_run_dir(ctl, dry_run);
    if (code == EXIT_DONE)
        code = step_store(ctl, dry_run);
    return code;
}

/* Stops before it takes over what is somebody's, but leaves a store, so that it can be moved. */
static int stop_at_conflict(struct ctl *ctl, bool dry_run)
{
    int code = prepare(ctl, dry_run);
    if (code == EXIT_DONE)
        code = make_store(ctl, dry_run);
    if (code == EXIT_DONE)
        code = check_login_is_free(ctl, ctl->conf.forward_login);
    if (code == EXIT_DONE)
        code = check_login_is_free(ctl, ctl->conf.agent_login);
    if (code == EXIT_DONE)
        code = ctl_error(ctl, EXIT_CONFLICT,
                         "what was in the way has just been moved: run setup again");
    return code;
}

/* Before anything is said about its keys: those of a person must not be moved. */
static int check_login_is_nobodys(const struct ctl *ctl, const char *login)
{
    struct buf why = {0};
    if (account_may_adopt(login, ctl->conf.tunnel_group, &why))
        return EXIT_DONE;
    buf_addf(&why, "; %s in '%s' names it",
             strcmp(login, ctl->conf.forward_login) == 0 ? "ForwardLogin" : "AgentLogin",
             ctl->conf_file != NULL ? ctl->conf_file : CONF_DEFAULT_FILE);
    return setup_fail(ctl, EXIT_CONFLICT, &why);
}

/* What must hold before anything is changed. */
static int check_before(struct ctl *ctl)
{
    int code = account_check_members(ctl);
    if (code == EXIT_DONE)
        code = check_login_is_nobodys(ctl, ctl->conf.forward_login);
    if (code == EXIT_DONE)
        code = check_login_is_nobodys(ctl, ctl->conf.agent_login);
    if (code == EXIT_DONE)
        code = check_join_is_free(ctl);
    return code == EXIT_DONE ? check_sshd_is_sound(ctl) : code;
}

/* Joining comes with the drop-in, which must have the account, and goes after it. */
static int set_up_sshd(struct ctl *ctl, bool adds_join, bool dry_run)
{
    off_t old_bytes = -1;
    int code = step_join(ctl, dry_run);
    if (code == EXIT_DONE && adds_join)
        code = step_join_line(ctl, dry_run, &old_bytes);
    if (code == EXIT_DONE)
        code = step_sshd(ctl, dry_run);
    if (code != EXIT_DONE && old_bytes >= 0)
        take_back_join_line(ctl, old_bytes);
    if (code == EXIT_DONE && ctl->conf.join_login[0] == '\0')
        code = undo_join(ctl, dry_run);
    return code == EXIT_DONE ? step_join_socket(ctl, dry_run) : code;
}

static int set_up(struct ctl *ctl, bool adds_join, bool dry_run)
{
    bool forward_is_free = false, agent_is_free = false;
    int code = check_before(ctl);
    if (code == EXIT_DONE)
        code = login_is_free(ctl, ctl->conf.forward_login, &forward_is_free);
    if (code == EXIT_DONE)
        code = login_is_free(ctl, ctl->conf.agent_login, &agent_is_free);
    if (code == EXIT_DONE && !(forward_is_free && agent_is_free))
        return stop_at_conflict(ctl, dry_run);
    if (code == EXIT_DONE)
        code = prepare(ctl, dry_run);
    if (code == EXIT_DONE)
        code = step_login(ctl, ctl->conf.forward_login, dry_run);
    if (code == EXIT_DONE)
        code = step_login(ctl, ctl->conf.agent_login, dry_run);
    if (code == EXIT_DONE)
        code = make_store(ctl, dry_run);
    if (code == EXIT_DONE)
        code = step_directory(ctl, TUNLEASE_SYSCONFDIR "/ssh/sshd_config.d", 0755, dry_run);
    if (code == EXIT_DONE)
        code = set_up_sshd(ctl, adds_join, dry_run);
    if (code != EXIT_DONE || dry_run)
        return code;
    ctl_changed(ctl, "this host is set up");
    code = doctor_check_all(ctl);
    say_keys_are_idle(ctl, ctl->conf.forward_login);
    say_keys_are_idle(ctl, ctl->conf.agent_login);
    say_how_leased_starts(ctl);
    return code;
}

/* Undoes sshd and PAM each by itself: one may be undone already, by hand or by an undo that failed
 * halfway. */
static int undo_setup(struct ctl *ctl, bool keep_sessions, bool dry_run)
{
    int code = EXIT_DONE, sessions_code = EXIT_DONE;
    char *old = matchblock_read_dropin();
    if (old == NULL && !pam_profile_is_applied() && !join_is_set_up()) {
        setup_say(ctl, false, "there is nothing to undo: '%s' is not there, nor pam_tunnel in PAM",
                  SSHD_DROPIN);
        return EXIT_DONE;
    }
    if (old != NULL)
        code = undo_sshd(ctl, old, dry_run);
    if (code == EXIT_DONE)
        sessions_code = undo_sessions(ctl, keep_sessions, dry_run);
    if (code == EXIT_DONE)
        code = undo_pam(ctl, dry_run);
    if (code == EXIT_DONE)
        code = undo_join(ctl, dry_run);
    if (code == EXIT_DONE && !dry_run)
        setup_say(ctl, false,
                  "tunnel logins, leases and configuration are left as they are; no lease opens "
                  "anything until 'leasectl setup' is run again");
    free(old);
    return code != EXIT_DONE ? code : sessions_code;
}

int cmd_setup(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {{"dry-run", no_argument, NULL, 'n'},
                                            {"undo", no_argument, NULL, 'u'},
                                            {"keep-sessions", no_argument, NULL, 'k'},
                                            {"join", no_argument, NULL, 'j'},
                                            {NULL, 0, NULL, 0}};
    bool dry_run = false, undoing = false, keep_sessions = false, joining = false;
    int opt;
    while ((opt = ctl_option(ctl, argc, argv, options)) != -1) {
        switch (opt) {
        case 'n':
            dry_run = true;
            break;
        case 'u':
            undoing = true;
            break;
        case 'k':
            keep_sessions = true;
            break;
        case 'j':
            joining = true;
            break;
        default:
            return EXIT_USAGE;
        }
    }
    if (optind != argc)
        return ctl_usage(ctl, "setup takes no names");
    if (keep_sessions && !undoing)
        return ctl_usage(ctl, "--keep-sessions goes with --undo");
    if (joining && undoing)
        return ctl_usage(ctl, "--undo takes joining away, too: it goes without --join");
    if (geteuid() != 0 && !dry_run)
        return ctl_error(ctl, EXIT_FAILED, "setup changes the system: sudo leasectl setup");
    if (undoing)
        return undo_setup(ctl, keep_sessions, dry_run);
    const bool adds_join = joining && ctl->conf.join_login[0] == '\0';
    if (adds_join)
        (void)strlcpy(ctl->conf.join_login, SETUP_JOIN_LOGIN, sizeof(ctl->conf.join_login));
    return set_up(ctl, adds_join, dry_run);
}
