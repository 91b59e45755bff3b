/* SPDX-License-Identifier: ISC */
#include "leasectl/host/account_rights.h"

#include "leasectl/child.h"
#include "leasectl/host/account.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

enum { SUDO_MS = 5000 };

static const char *const strong_groups[] = {
    "root",  "sudo", "wheel",  "admin", "docker",          "podman",  "lxd",
    "incus", "disk", "shadow", "adm",   "systemd-journal", "libvirt", "kmem",
};

struct strong_search {
    gid_t own;
    account_group_fn fn;
    void *ctx;
};

static bool report_if_strong(void *arg, const struct group *gr)
{
    const struct strong_search *s = arg;
    for (size_t i = 0; i < sizeof(strong_groups) / sizeof(strong_groups[0]); i++)
        if (strcmp(gr->gr_name, strong_groups[i]) == 0)
            s->fn(s->ctx, strong_groups[i], gr->gr_gid == s->own);
    return false;
}

void account_strong_groups(const char *login, account_group_fn fn, void *ctx)
{
    const struct passwd *pw = getpwnam(login);
    struct strong_search search = {.fn = fn, .ctx = ctx};
    if (pw == NULL)
        return;
    search.own = pw->pw_gid;
    (void)account_any_group(login, report_if_strong, &search);
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
