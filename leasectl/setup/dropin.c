/* SPDX-License-Identifier: ISC */
/* Writes, tests and loads sshd's drop-in and the banner that it names, and removes them again. */
#include "leasectl/child.h"
#include "leasectl/host/filesystem.h"
#include "leasectl/host/matchblock.h"
#include "leasectl/host/pam_profile.h"
#include "leasectl/host/sshd.h"
#include "leasectl/host/sshd_reload.h"
#include "leasectl/host/sshd_settings.h"
#include "leasectl/host/sshd_dialect.h"
#include "leasectl/host/sshd_version.h"
#include "leasectl/host/textfile.h"
#include "leasectl/setup/say.h"
#include "leasectl/setup/steps.h"
#include "lib/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* sshd does without it: a container whose configuration is read-only has to start. */
static int step_banner(struct ctl *ctl, bool dry_run)
{
    static const char conf_d[] = TUNLEASE_SYSCONFDIR "/tunlease";
    char text[CONF_TEXT_BYTES + 2];
    if (ctl->conf.contact[0] == '\0')
        return EXIT_DONE;
    (void)snprintf(text, sizeof(text), "%s\n", ctl->conf.contact);
    char *old = textfile_read(MATCHBLOCK_BANNER);
    bool same = old != NULL && strcmp(old, text) == 0;
    free(old);
    if (same)
        return EXIT_DONE;
    if (filesystem_is_read_only(conf_d)) {
        ctl_warn(ctl,
                 "'%s' is read-only, so Contact is shown to nobody: put a file 'banner' with it "
                 "where that is mounted from",
                 conf_d);
        return EXIT_DONE;
    }
    setup_say(ctl, dry_run, "write %s", MATCHBLOCK_BANNER);
    return dry_run ? EXIT_DONE : textfile_write(ctl, MATCHBLOCK_BANNER, text);
}

/* Prints how the edited file differs from what setup would write, so that the admin can move the
 * edits elsewhere. */
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

/* Puts the old file back; where there was none, removes the new one. */
static void restore_dropin(const struct ctl *ctl, const char *old)
{
    if (old != NULL)
        (void)textfile_write(ctl, SSHD_DROPIN, old);
    else
        (void)unlink(SSHD_DROPIN);
}

/* The words for a drop-in that sshd -t refused, when the old state is back. */
static int report_refused(struct ctl *ctl, const struct sshd *sshd, const struct buf *why)
{
    struct buf unused = {0};
    const bool is_ours = sshd_test(sshd, &unused) == 0;
    buf_release(&unused);
    return is_ours
               ? ctl_error(ctl, EXIT_FAILED, "sshd -t refuses the new '%s', which was undone: %s",
                           SSHD_DROPIN, buf_text_or(why, ""))
               : ctl_error(ctl, EXIT_FAILED,
                           "sshd -t refuses the configuration whatever '%s' says, so that was "
                           "left as it was: %s",
                           SSHD_DROPIN, buf_text_or(why, ""));
}

static int test_dropin(struct ctl *ctl, const struct sshd *sshd, const char *old)
{
    struct buf why = {0};
    if (sshd_test(sshd, &why) == 0)
        return EXIT_DONE;
    restore_dropin(ctl, old);
    int code = report_refused(ctl, sshd, &why);
    buf_release(&why);
    return code;
}

static int check_it_serves(struct ctl *ctl, const struct sshd *sshd)
{
    struct buf why = {0};
    if (sshd_would_serve(ctl, sshd, &why))
        return EXIT_DONE;
    restore_dropin(ctl, NULL);
    int code = ctl_error(ctl, EXIT_FAILED,
                         "%s. '%s' was removed again, and sshd was not told to "
                         "reload. Mend that, then run 'leasectl setup'",
                         buf_text_or(&why, "out of memory"), SSHD_DROPIN);
    buf_release(&why);
    return code;
}

static int reload(struct ctl *ctl, const struct sshd *sshd, const char *old)
{
    struct buf why = {0};
    bool running = false;
    if (sshd_reload(sshd, &why, &running) != 0) {
        restore_dropin(ctl, old);
        (void)ctl_error(ctl, EXIT_FAILED, "sshd did not reload, '%s' was undone: %s", SSHD_DROPIN,
                        buf_text_or(&why, ""));
        buf_release(&why);
        (void)sshd_reload(sshd, &why, &running);
        buf_release(&why);
        return EXIT_FAILED;
    }
    if (!running && !sshd->by_systemd)
        ctl_warn(ctl,
                 "no sshd listens on port %u%s, so none was told to reload: start it "
                 "('systemctl start ssh'), or where it runs on another port, tell it "
                 "('systemctl reload ssh')",
                 ctl->conf.public_port,
                 ctl->conf.public_port != 22 ? " (PublicPort) or port 22" : "");
    return EXIT_DONE;
}

/* What must be there before sshd reads the drop-in: the banner that it names, and pam_tunnel, which
 * must be asked from the first login on. */
static int prepare_load(struct ctl *ctl, bool dry_run)
{
    int code = step_banner(ctl, dry_run);
    return code == EXIT_DONE ? step_pam(ctl, dry_run) : code;
}

/* Everything is tested before sshd is told, and undone where a test fails. old: NULL at a first
 * setup. */
static int put_in_force(struct ctl *ctl, const struct sshd *sshd, const char *text, const char *old)
{
    int code = textfile_write(ctl, SSHD_DROPIN, text);
    if (code == EXIT_DONE)
        code = test_dropin(ctl, sshd, old);
    if (code == EXIT_DONE && old == NULL)
        code = check_it_serves(ctl, sshd);
    if (code != EXIT_DONE)
        return code;
    code = prepare_load(ctl, false);
    if (code != EXIT_DONE) {
        restore_dropin(ctl, old);
        return code;
    }
    return reload(ctl, sshd, old);
}

/* An sshd that a socket unit starts reads the drop-in at each connection, so from when it is there:
 * then PAM must have pam_tunnel already, or a tunnel could begin that nothing can end. */
static int put_in_force_safely(struct ctl *ctl, const struct sshd *sshd, const char *text,
                               const char *old)
{
    const bool pam_first = old == NULL && sshd->by_systemd && sshd->listener == 0 &&
                           pam_profile_can_apply() && !pam_profile_is_applied();
    int code = pam_first ? step_pam(ctl, false) : EXIT_DONE;
    if (code == EXIT_DONE)
        code = put_in_force(ctl, sshd, text, old);
    if (code != EXIT_DONE && pam_first)
        (void)undo_pam(ctl, false);
    return code;
}

static int write_dropin(struct ctl *ctl, const struct sshd *sshd,
                        const struct sshd_dialect *dialect, bool dry_run)
{
    struct buf text = {0};
    char *old = NULL;
    int code = EXIT_DONE;

    matchblock_format(&ctl->conf, ctl->conf_file, dialect, &text);
    const char *wanted = buf_text(&text);
    if (wanted == NULL) {
        code = ctl_error(ctl, EXIT_FAILED, "out of memory");
        goto out;
    }
    old = matchblock_read_dropin();
    if (old != NULL && strcmp(old, wanted) == 0) {
        code = prepare_load(ctl, dry_run);
        goto out;
    }
    if (old != NULL && !matchblock_is_unedited(old)) {
        code = refuse_edited(ctl, wanted);
        goto out;
    }
    setup_say(ctl, dry_run, "write %s and reload sshd", SSHD_DROPIN);
    if (dry_run) {
        code = prepare_load(ctl, dry_run);
        goto out;
    }
    code = put_in_force_safely(ctl, sshd, wanted, old);
out:
    free(old);
    buf_release(&text);
    return code;
}

/* If sshd was upgraded and not restarted, the reload starts the new version. Then a second pass
 * writes the drop-in again, for the new version. */
int step_sshd(struct ctl *ctl, bool dry_run)
{
    enum { PASSES = 2 };
    struct sshd_dialect dialect, before = {.version = {0, 0}};
    struct sshd sshd;
    struct buf why = {0};
    int code = EXIT_DONE;

    for (int pass = 0; code == EXIT_DONE && pass < (dry_run ? 1 : PASSES); pass++) {
        if (sshd_find(&ctl->conf, &sshd, &why) != 0 ||
            sshd_query_dialect(&sshd, &dialect, &why) != 0)
            return setup_fail(ctl, EXIT_FAILED, &why);
        if (pass > 0 && sshd_same_version(&before.version, &dialect.version))
            break;
        before = dialect;
        code = write_dropin(ctl, &sshd, &dialect, dry_run);
    }
    return code;
}

int undo_sshd(struct ctl *ctl, const char *old, bool dry_run)
{
    if (!matchblock_is_unedited(old))
        return ctl_error(ctl, EXIT_CONFLICT,
                         "'%s' was edited by hand: remove it yourself, then "
                         "reload sshd",
                         SSHD_DROPIN);
    setup_say(ctl, dry_run, "remove %s and reload sshd", SSHD_DROPIN);
    if (dry_run)
        return EXIT_DONE;
    struct sshd sshd;
    struct buf why = {0};
    if (sshd_find(&ctl->conf, &sshd, &why) != 0)
        return setup_fail(ctl, EXIT_FAILED, &why);
    if (unlink(SSHD_DROPIN) != 0)
        return ctl_error(ctl, EXIT_FAILED, "cannot remove '%s': %s", SSHD_DROPIN, strerror(errno));
    (void)unlink(MATCHBLOCK_BANNER);
    ctl_changed(ctl, "removed %s", SSHD_DROPIN);
    int code = test_dropin(ctl, &sshd, old);
    return code == EXIT_DONE ? reload(ctl, &sshd, old) : code;
}
