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

struct buf;
struct sshd;

#define SETUP_SERVICE_USER "_tunlease"
#define SETUP_AKC_USER "_tunlease-akc"
#define SETUP_JOIN_LOGIN "join" /* JoinLogin, when --join sets it */

/*
 * conflicts.c. A login is not free while a Match block that is not ours names it, or a key that its
 * authorized_keys file lets in has no lease. check_login_is_free says that, and the steps that move
 * both without locking anybody out: EXIT_CONFLICT. say_keys_are_idle is for the end of setup: sshd
 * does not read that file any more.
 */
int login_is_free(struct ctl *ctl, const char *login, bool *ret);
int check_login_is_free(struct ctl *ctl, const char *login);
void say_keys_are_idle(const struct ctl *ctl, const char *login);

/*
 * obstacles.c, for a first setup alone: where the drop-in is there, setup may be what mends it.
 * check_sshd_is_sound comes before anything is made: sshd refuses the configuration that is there,
 * or does not use PAM. sshd_would_serve is asked when the drop-in is written and sshd has not read
 * it: false, with why and the mend in out, where sshd would let no tunnel login in.
 */
int check_sshd_is_sound(struct ctl *ctl);
bool sshd_would_serve(struct ctl *ctl, const struct sshd *sshd, struct buf *out);

/* accounts.c */
int step_group(struct ctl *ctl, const char *group, bool dry_run);
int step_user(struct ctl *ctl, const char *user, bool dry_run);
int step_login(struct ctl *ctl, const char *login, bool dry_run);

/* places.c */
int step_directory(struct ctl *ctl, const char *path, mode_t mode, bool dry_run);
int step_run_dir(struct ctl *ctl, bool dry_run);
int step_store(struct ctl *ctl, bool dry_run);

/* dropin.c. step_sshd writes the drop-in and tests it, then writes the banner, does step_pam,
 * and tells sshd to reload last. undo_sshd: old is the text of the drop-in that is there. */
int step_sshd(struct ctl *ctl, bool dry_run);
int undo_sshd(struct ctl *ctl, const char *old, bool dry_run);

/* sessions.c. Ends all live sessions, or says with keep how many stay; to be done when sshd lets no
 * more in, and while pam_tunnel still registers those that it let in before. EXIT_STILL_UP: some
 * are up after all. */
int undo_sessions(struct ctl *ctl, bool keep, bool dry_run);

/*
 * join.c. All that JoinLogin needs besides sshd and PAM; the steps do nothing where it is not set.
 * check_join_is_free comes before anything is changed. step_join_line adds JoinLogin to
 * tunlease.conf; *ret_old_bytes is the size of before, for take_back_join_line. step_join_socket
 * comes last, for it starts leased again where systemd runs it.
 */
int check_join_is_free(struct ctl *ctl);
int step_join(struct ctl *ctl, bool dry_run);
int step_join_line(struct ctl *ctl, bool dry_run, off_t *ret_old_bytes);
void take_back_join_line(const struct ctl *ctl, off_t old_bytes);
int step_join_socket(struct ctl *ctl, bool dry_run);

/* Takes away what setup has made for joining, whatever JoinLogin is; to be done when sshd lets
 * nobody join any more. */
bool join_is_set_up(void);
int undo_join(struct ctl *ctl, bool dry_run);

/* pam.c */
int step_pam(struct ctl *ctl, bool dry_run);
int undo_pam(struct ctl *ctl, bool dry_run);

#endif
