/* SPDX-License-Identifier: ISC */
#include "leasectl/host/account_rights.h"

#include "leasectl/child.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { GROUPS_MAX = 256, SUDO_MS = 5000 };

static const char *const strong_groups[] = {
    "root",  "sudo", "wheel",  "admin", "docker",          "podman",  "lxd",
    "incus", "disk", "shadow", "adm",   "systemd-journal", "libvirt", "kmem",
};

void account_strong_groups(const char *login, account_group_fn fn, void *ctx)
{
    gid_t groups[GROUPS_MAX];
    int count = GROUPS_MAX;
    const struct passwd *pw = getpwnam(login);
    if (pw == NULL)
        return;
    const gid_t own = pw->pw_gid;
    if (getgrouplist(login, own, groups, &count) < 0)
        count = GROUPS_MAX;
    for (int i = 0; i < count; i++) {
        const struct group *gr = getgrgid(groups[i]);
        for (size_t k = 0; gr != NULL && k < sizeof(strong_groups) / sizeof(strong_groups[0]); k++)
            if (strcmp(gr->gr_name, strong_groups[k]) == 0)
                fn(ctx, strong_groups[k], groups[i] == own);
    }
}

static bool has_sudo(void)
{
    static const char *const places[] = {"/usr/bin/sudo", "/usr/local/bin/sudo", "/bin/sudo"};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if (access(places[i], X_OK) == 0)
            return true;
    return false;
}

enum sight account_may_sudo(const char *login, struct buf *says)
{
    const char *const argv[] = {"sudo", "-n", "-l", "-U", login, NULL};
    enum sight may = SIGHT_CANNOT_TELL;
    struct child c;
    if (!has_sudo())
        return SIGHT_IS_NOT;
    const int status = child_run(&c, argv, NULL, NULL, SUDO_MS);
    if (strstr(child_text(&c.out_text), "may run the following commands") != NULL)
        may = SIGHT_IS;
    else if (strstr(child_text(&c.out_text), "is not allowed to run sudo") != NULL ||
             strstr(child_text(&c.err_text), "is not allowed to run sudo") != NULL)
        may = SIGHT_IS_NOT;
    else if (status == CHILD_OUT_OF_TIME)
        buf_add(says, "sudo does not answer");
    else if (c.err_text.len > 0)
        child_add_first_line(&c.err_text, says);
    else
        child_add_first_line(&c.out_text, says);
    child_release(&c);
    return may;
}
