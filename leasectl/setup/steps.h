/* SPDX-License-Identifier: ISC */
/*
 * The steps of setup. Each does only what is missing, and prints what it does; with dry_run it only
 * prints what it would do. EXIT_DONE, or the exit code with the error printed.
 */
#ifndef TUNLEASE_LEASECTL_SETUP_STEPS_H
#define TUNLEASE_LEASECTL_SETUP_STEPS_H

#include "leasectl/ctl.h"

#include <stdbool.h>
#include <sys/types.h>

#define SETUP_SERVICE_USER "_tunlease"
#define SETUP_AKC_USER "_tunlease-akc"

/* conflicts.c. Before anything is changed: EXIT_CONFLICT when the login has keys of its own, or a
 * Match block that is not ours. */
int check_login_is_free(struct ctl *ctl, const char *login);

/* accounts.c */
int step_group(struct ctl *ctl, const char *group, bool dry_run);
int step_user(struct ctl *ctl, const char *user, bool dry_run);
int step_login(struct ctl *ctl, const char *login, bool dry_run);

/* places.c */
int step_directory(struct ctl *ctl, const char *path, mode_t mode, bool dry_run);
int step_run_dir(struct ctl *ctl, bool dry_run);
int step_store(struct ctl *ctl, bool dry_run);

/* dropin.c. undo_sshd: old is the text of the drop-in that is there. */
int step_banner(struct ctl *ctl, bool dry_run);
int step_sshd(struct ctl *ctl, bool dry_run);
int undo_sshd(struct ctl *ctl, const char *old, bool dry_run);

/* sessions.c. Ends all live sessions, or says with keep how many stay; to be done when sshd lets no
 * more in, and while pam_tunnel still registers those that it let in before. EXIT_STILL_UP: some
 * are up after all. */
int undo_sessions(struct ctl *ctl, bool keep, bool dry_run);

/* pam.c */
int step_pam(struct ctl *ctl, bool dry_run);
int undo_pam(struct ctl *ctl, bool dry_run);

#endif
