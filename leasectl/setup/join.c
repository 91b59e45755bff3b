/* SPDX-License-Identifier: ISC */
/* JoinLogin: its account, its places, its line in tunlease.conf, and all of it away again. */
#include "leasectl/host/filesystem.h"
#include "leasectl/host/join_account.h"
#include "leasectl/host/join_place.h"
#include "leasectl/host/join_unit.h"
#include "leasectl/host/matchblock_join.h"
#include "leasectl/host/pam_profile.h"
#include "leasectl/host/textfile.h"
#include "leasectl/setup/say.h"
#include "leasectl/setup/steps.h"
#include "lib/base/durable.h"
#include "lib/conf/join_login.h"
#include "lib/wire/join.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char tmpfiles_d[] = TUNLEASE_SYSCONFDIR "/tmpfiles.d";
static const char conf_d[] = TUNLEASE_SYSCONFDIR "/tunlease";

int check_join_is_free(struct ctl *ctl)
{
    struct buf why = {0}, mend = {0};
    if (ctl->conf.join_login[0] == '\0')
        return EXIT_DONE;
    if (access(JOIN_PROGRAM, X_OK) != 0)
        return ctl_error(ctl, EXIT_FAILED,
                         "there is no program '" JOIN_PROGRAM "', so nobody could join. Nothing "
                         "was changed. Install tunlease again, then run 'leasectl setup --join'");
    if (join_account_is_free(&ctl->conf, ctl_conf_name(ctl), &why, &mend))
        return EXIT_DONE;
    buf_addf(&why, ". Nothing was changed. %s, then run 'leasectl setup'",
             buf_text_or(&mend, "out of memory"));
    buf_release(&mend);
    return setup_fail(ctl, EXIT_CONFLICT, &why);
}

/* ---- the steps of setup ---- */

/* What stays after join_account_make is no work for it: doctor, which runs at the end, says it. */
static void note_work(void *ctx, enum account_problem problem, const char *what, const char *mend)
{
    bool *has_work = ctx;
    (void)what;
    (void)mend;
    if (problem != ACCOUNT_BY_HAND)
        *has_work = true;
}

static int step_account(struct ctl *ctl, bool dry_run)
{
    const char *login = ctl->conf.join_login;
    struct buf why = {0};
    bool has_work = getpwnam(login) == NULL;
    int code = step_group(ctl, JOIN_GROUP, dry_run);
    if (code != EXIT_DONE)
        return code;
    if (!has_work)
        join_account_problems(&ctl->conf, note_work, &has_work);
    if (!has_work)
        return EXIT_DONE;
    setup_say(ctl, dry_run, "make join login %s", login);
    if (!dry_run && join_account_make(&ctl->conf, &why) != 0)
        return setup_fail(ctl, EXIT_FAILED, &why);
    return EXIT_DONE;
}

static int write_if_other(struct ctl *ctl, const char *directory, const char *path,
                          const char *text, bool dry_run)
{
    char *old = textfile_read(path);
    const bool same = old != NULL && strcmp(old, text) == 0;
    free(old);
    /* A container may have its configuration on a file system that it cannot write. */
    if (same || filesystem_is_read_only(directory))
        return EXIT_DONE;
    setup_say(ctl, dry_run, "write %s", path);
    return dry_run ? EXIT_DONE : textfile_write(ctl, path, text);
}

static int step_places(struct ctl *ctl, bool dry_run)
{
    struct buf banner = {0}, why = {0};
    int code = EXIT_DONE;
    join_place_banner(&ctl->conf, &banner);
    if (join_place_check_directory(&why) != SIGHT_IS) {
        buf_clear(&why);
        setup_say(ctl, dry_run, "make directory " JOIN_SOCKET_DIR);
        if (!dry_run && join_place_make_directory(&why) != 0)
            code = setup_fail(ctl, EXIT_FAILED, &why);
    }
    if (code == EXIT_DONE && !filesystem_is_read_only(TUNLEASE_SYSCONFDIR))
        code = step_directory(ctl, tmpfiles_d, 0755, dry_run);
    if (code == EXIT_DONE)
        code = write_if_other(ctl, tmpfiles_d, JOIN_TMPFILES, JOIN_TMPFILES_TEXT, dry_run);
    if (code == EXIT_DONE)
        code =
            write_if_other(ctl, conf_d, MATCHBLOCK_JOIN_BANNER, buf_text_or(&banner, ""), dry_run);
    buf_release(&why);
    buf_release(&banner);
    return code;
}

int step_join(struct ctl *ctl, bool dry_run)
{
    if (ctl->conf.join_login[0] == '\0')
        return EXIT_DONE;
    int code = step_account(ctl, dry_run);
    return code == EXIT_DONE ? step_places(ctl, dry_run) : code;
}

int step_join_socket(struct ctl *ctl, bool dry_run)
{
    struct buf why = {0};
    if (ctl->conf.join_login[0] == '\0' || !join_unit_is_wanted() ||
        (join_unit_is_enabled() && (!join_unit_can_start() || join_unit_is_active())))
        return EXIT_DONE;
    setup_say(ctl, dry_run, "enable " JOIN_UNIT "%s",
              join_unit_can_start() ? ", and start leased with it" : "");
    if (dry_run || join_unit_enable(&why) == 0)
        return EXIT_DONE;
    return setup_fail(ctl, EXIT_FAILED, &why);
}

/* ---- the line in tunlease.conf ---- */

/* Appended, so that owner, mode and all that is there stay as they are. */
static int append(struct ctl *ctl, const char *path, const char *text, off_t *ret_old_bytes)
{
    struct stat st;
    int code = EXIT_FAILED;
    char last = '\n';
    struct buf line = {0};
    const int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0 || fstat(fd, &st) != 0)
        goto out;
    if (st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) != 1)
        goto out;
    buf_addf(&line, "%s%s\n", last != '\n' ? "\n" : "", text);
    errno = ENOMEM;
    if (buf_text(&line) != NULL && write(fd, buf_text(&line), line.len) == (ssize_t)line.len &&
        fsync(fd) == 0 && durable_name(path) == 0)
        code = EXIT_DONE;
    else
        (void)(ftruncate(fd, st.st_size) == 0);
    *ret_old_bytes = st.st_size;
out:
    if (code != EXIT_DONE)
        (void)ctl_error(ctl, code, "cannot write '%s' into '%s': %s", text, path, strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    buf_release(&line);
    return code;
}

int step_join_line(struct ctl *ctl, bool dry_run, off_t *ret_old_bytes)
{
    char text[64];
    (void)snprintf(text, sizeof(text), "JoinLogin %s", ctl->conf.join_login);
    setup_say(ctl, dry_run, "write '%s' into %s", text, ctl_conf_name(ctl));
    return dry_run ? EXIT_DONE : append(ctl, ctl_conf_name(ctl), text, ret_old_bytes);
}

void take_back_join_line(const struct ctl *ctl, off_t old_bytes)
{
    if (truncate(ctl_conf_name(ctl), old_bytes) != 0)
        ctl_warn(ctl, "the line JoinLogin stays in '%s': %s", ctl_conf_name(ctl), strerror(errno));
}

/* ---- away again ---- */

static int note_one(void *ctx, const char *login)
{
    (void)ctx;
    (void)login;
    return 1;
}

static bool is_there(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

bool join_is_set_up(void)
{
    return join_account_each(note_one, NULL) != 0 || join_unit_is_enabled() ||
           is_there(JOIN_TMPFILES) || is_there(MATCHBLOCK_JOIN_BANNER) || is_there(JOIN_SOCKET_DIR);
}

struct undoing {
    struct ctl *ctl;
    bool dry_run;
    int code;
};

static int undo_account(void *ctx, const char *login)
{
    struct undoing *u = ctx;
    struct buf why = {0};
    setup_say(u->ctl, u->dry_run, "remove join login %s", login);
    if (!u->dry_run && join_account_remove(login, &why) != 0)
        u->code = setup_fail(u->ctl, EXIT_FAILED, &why);
    return 0;
}

/* In a container whose image has it, and is read-only, it stays as it came. */
static void undo_file(struct undoing *u, const char *directory, const char *path)
{
    if (!is_there(path) || filesystem_is_read_only(directory))
        return;
    setup_say(u->ctl, u->dry_run, "remove %s", path);
    if (!u->dry_run && unlink(path) != 0)
        u->code = ctl_error(u->ctl, EXIT_FAILED, "cannot remove '%s': %s", path, strerror(errno));
}

static void undo_accounts(struct undoing *u)
{
    struct buf why = {0};
    /* As with undo_file. */
    if (filesystem_is_read_only(TUNLEASE_SYSCONFDIR) || getgrnam(JOIN_GROUP) == NULL)
        return;
    (void)join_account_each(undo_account, u);
    setup_say(u->ctl, u->dry_run, "remove group " JOIN_GROUP);
    if (!u->dry_run && join_account_remove_group(&why) != 0)
        u->code = setup_fail(u->ctl, EXIT_FAILED, &why);
}

static void undo_unit(struct undoing *u)
{
    struct buf why = {0};
    if (!join_unit_is_enabled() && !join_unit_is_active())
        return;
    setup_say(u->ctl, u->dry_run, "disable " JOIN_UNIT);
    if (!u->dry_run && join_unit_disable(&why) != 0)
        u->code = setup_fail(u->ctl, EXIT_FAILED, &why);
}

static void undo_directory(struct undoing *u)
{
    struct buf why = {0};
    if (!is_there(JOIN_SOCKET_DIR))
        return;
    setup_say(u->ctl, u->dry_run, "remove directory " JOIN_SOCKET_DIR);
    if (!u->dry_run && join_place_remove_directory(&why) != 0)
        u->code = setup_fail(u->ctl, EXIT_FAILED, &why);
}

int undo_join(struct ctl *ctl, bool dry_run)
{
    struct undoing u = {.ctl = ctl, .dry_run = dry_run, .code = EXIT_DONE};
    if (!join_is_set_up())
        return EXIT_DONE;
    undo_unit(&u);
    undo_accounts(&u);
    undo_directory(&u);
    undo_file(&u, tmpfiles_d, JOIN_TMPFILES);
    undo_file(&u, conf_d, MATCHBLOCK_JOIN_BANNER);
    return u.code;
}
