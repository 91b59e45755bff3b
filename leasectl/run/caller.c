/* SPDX-License-Identifier: ISC */
#include "leasectl/run/caller.h"

#include "lib/base/number.h"
#include "lib/base/text.h"

#include <bsd/string.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A number that sudo left in the environment. */
static bool read_id(const char *name, int64_t *ret)
{
    const char *text = getenv(name);
    return text != NULL && number_parse(text, strlen(text), 0, UINT32_MAX - 1, ret);
}

static int copy_account(struct ctl *ctl, const struct passwd *pw, gid_t gid, struct caller *ret)
{
    ret->changes = true;
    ret->uid = pw->pw_uid;
    ret->gid = gid;
    ret->group_count = CALLER_GROUPS_MAX;
    if (strlcpy(ret->name, pw->pw_name, sizeof(ret->name)) >= sizeof(ret->name) ||
        strlcpy(ret->home, pw->pw_dir, sizeof(ret->home)) >= sizeof(ret->home) ||
        strlcpy(ret->shell, pw->pw_shell, sizeof(ret->shell)) >= sizeof(ret->shell) ||
        getgrouplist(pw->pw_name, gid, ret->groups, &ret->group_count) < 0)
        return ctl_error(ctl, EXIT_FAILED,
                         "cannot run a command as '%s': the account's home, shell or list of "
                         "groups is too long",
                         text_clip(pw->pw_name).s);
    if (ret->shell[0] == '\0')
        (void)strlcpy(ret->shell, "/bin/sh", sizeof(ret->shell)); /* passwd(5) */
    return EXIT_DONE;
}

int caller_find(struct ctl *ctl, bool as_root, struct caller *ret)
{
    int64_t uid = 0, gid = 0;
    const char *name = getenv("SUDO_USER");
    *ret = (struct caller){.changes = false};
    if (getuid() != 0 || as_root)
        return EXIT_DONE;
    if (name == NULL || !read_id("SUDO_UID", &uid) || uid == 0)
        return ctl_usage(ctl, "the command would run as root, since nobody called this with sudo: "
                              "--as-root, if that is meant");
    const struct passwd *pw = getpwuid((uid_t)uid);
    if (pw == NULL || strcmp(pw->pw_name, name) != 0)
        return ctl_error(ctl, EXIT_FAILED,
                         "cannot tell who called sudo: SUDO_USER is '%s', and uid %lld is '%s'",
                         text_clip(name).s, (long long)uid, pw != NULL ? pw->pw_name : "nobody's");
    if (!read_id("SUDO_GID", &gid))
        gid = pw->pw_gid;
    return copy_account(ctl, pw, (gid_t)gid, ret);
}

int caller_set_environment(const struct caller *c)
{
    static const char *const of_sudo[] = {"SUDO_USER", "SUDO_UID", "SUDO_GID", "SUDO_COMMAND",
                                          "MAIL"};
    if (!c->changes)
        return 0;
    for (size_t i = 0; i < sizeof(of_sudo) / sizeof(of_sudo[0]); i++)
        (void)unsetenv(of_sudo[i]);
    return setenv("HOME", c->home, 1) == 0 && setenv("USER", c->name, 1) == 0 &&
                   setenv("LOGNAME", c->name, 1) == 0 && setenv("SHELL", c->shell, 1) == 0
               ? 0
               : -1;
}

int caller_become(void *caller)
{
    const struct caller *c = caller;
    if (!c->changes)
        return 0;
    if (setgroups((size_t)c->group_count, c->groups) != 0 ||
        setresgid(c->gid, c->gid, c->gid) != 0 || setresuid(c->uid, c->uid, c->uid) != 0)
        return -1;
    return 0;
}
