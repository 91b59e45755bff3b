/* SPDX-License-Identifier: ISC */
/*
 * leasectl setup: users, groups, directories, store, PAM profile and sshd's drop-in, each only
 * where it is missing; and back again with --undo, which leaves accounts and leases alone.
 */
#include "leasectl/ctl_store.h"
#include "leasectl/doctor/doctor.h"
#include "leasectl/host/account.h"
#include "leasectl/host/matchblock.h"
#include "leasectl/host/pam_profile.h"
#include "leasectl/host/sshd.h"
#include "leasectl/setup/say.h"
#include "leasectl/setup/steps.h"
#include "leasectl/verbs.h"

#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>

/* The last words: nothing else of setup starts leased. */
static void say_how_leased_starts(const struct ctl *ctl)
{
    if (ctl_leased_is_running(ctl))
        return;
    setup_say(
        ctl, false,
        "next, start leased: %s (without it live tunnels outlive the end of their leases, and "
        "agents cannot register)",
        access("/run/systemd/system", F_OK) == 0
            ? "systemctl enable --now leased.socket leased.service"
            : "leased -D");
}

static int set_up(struct ctl *ctl, bool dry_run)
{
    int code = account_check_members(ctl);
    if (code == EXIT_DONE)
        code = check_login_is_free(ctl, ctl->conf.forward_login);
    if (code == EXIT_DONE)
        code = check_login_is_free(ctl, ctl->conf.agent_login);
    if (code == EXIT_DONE)
        code = step_group(ctl, SETUP_SERVICE_USER, dry_run);
    if (code == EXIT_DONE)
        code = step_group(ctl, ctl->conf.tunnel_group, dry_run);
    if (code == EXIT_DONE)
        code = step_user(ctl, SETUP_SERVICE_USER, dry_run);
    if (code == EXIT_DONE)
        code = step_user(ctl, SETUP_AKC_USER, dry_run);
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
    code = doctor_check_all(ctl);
    say_how_leased_starts(ctl);
    return code;
}

/* Undoes sshd and PAM each by itself: one may be undone already, by hand or by an undo that failed
 * halfway. */
static int undo_setup(struct ctl *ctl, bool keep_sessions, bool dry_run)
{
    int code = EXIT_DONE, sessions_code = EXIT_DONE;
    char *old = matchblock_read_dropin();
    if (old == NULL && !pam_profile_is_applied()) {
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
    if (code == EXIT_DONE && !dry_run)
        setup_say(ctl, false,
                  "accounts, leases and configuration are left as they are; no lease opens "
                  "anything until 'leasectl setup' is run again");
    free(old);
    return code != EXIT_DONE ? code : sessions_code;
}

int cmd_setup(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {{"dry-run", no_argument, NULL, 'n'},
                                            {"undo", no_argument, NULL, 'u'},
                                            {"keep-sessions", no_argument, NULL, 'k'},
                                            {NULL, 0, NULL, 0}};
    bool dry_run = false, undoing = false, keep_sessions = false;
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
        default:
            return EXIT_USAGE;
        }
    }
    if (optind != argc)
        return ctl_usage(ctl, "setup takes no names");
    if (keep_sessions && !undoing)
        return ctl_usage(ctl, "--keep-sessions goes with --undo");
    if (geteuid() != 0 && !dry_run)
        return ctl_error(ctl, EXIT_FAILED, "setup changes the system: sudo leasectl setup");
    return undoing ? undo_setup(ctl, keep_sessions, dry_run) : set_up(ctl, dry_run);
}
