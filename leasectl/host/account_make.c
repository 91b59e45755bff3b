/* SPDX-License-Identifier: ISC */
/* Makes the groups and accounts of tunnel logins and of services. */
#include "leasectl/host/account.h"
#include "leasectl/host/tool.h"
#include "lib/conf/conf.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TOOL_MS = 30000, FIRST_PERSON_UID = 1000 };

static int run_tool(const char *const argv[], struct buf *out)
{
    return tool_run(argv[0], argv, NULL, TOOL_MS, out);
}

int account_make_group(const char *group, struct buf *out)
{
    const char *const argv[] = {"groupadd", "--system", group, NULL};
    return getgrnam(group) != NULL ? 0 : run_tool(argv, out);
}

/* No password, and no home of its own. The password field is "*": sshd with UsePAM no refuses keys
 * for "!". */
static int add_user(const char *user, const char *group, const char *home, const char *shell,
                    struct buf *out)
{
    const char *const argv[] = {
        "useradd", "--system", "--no-create-home", "--home-dir", home, "--shell", shell,
        "--gid",   group,      "--password",       "*",          user, NULL};
    return run_tool(argv, out);
}

int account_make_service_user(const char *user, const char *group, struct buf *out)
{
    return getpwnam(user) != NULL ? 0 : add_user(user, group, NO_HOME, NOLOGIN_SHELL, out);
}

static int mask_user_manager(const char *login, struct buf *out)
{
    char path[256];
    if (account_is_masked(login))
        return 0;
    account_mask_path(login, path, sizeof(path));
    (void)mkdir(TUNLEASE_SYSCONFDIR "/systemd", 0755);
    (void)mkdir(TUNLEASE_SYSCONFDIR "/systemd/system", 0755);
    if (symlink("/dev/null", path) == 0)
        return 0;
    buf_addf(out, "cannot mask '%s': %s", path, strerror(errno));
    return -1;
}

static int end_ageing(const char *login, struct buf *out)
{
    const char *const argv[] = {"chage",        "--maxdays", "-1",  "--inactive", "-1",
                                "--expiredate", "-1",        login, NULL};
    return run_tool(argv, out);
}

/* usermod(8) refuses it while a process of the login runs; then the home stays, which harms
 * nothing. */
static void mend_home(const char *login)
{
    const char *const argv[] = {"usermod", "--home", LOGIN_HOME, login, NULL};
    struct buf unused = {0};
    if (account_home_is_former(login))
        (void)run_tool(argv, &unused);
    buf_release(&unused);
}

bool account_may_adopt(const char *login, const char *tunnel_group, struct buf *out)
{
    const struct passwd *pw = getpwnam(login);
    if (pw == NULL)
        return true;
    if (pw->pw_uid == 0)
        buf_addf(out, "'%s' is uid 0", login);
    else if (!account_is_nologin(pw->pw_shell))
        buf_addf(out,
                 "'%s' is somebody's account (its shell is %s): a tunnel login is nobody's; "
                 "choose another name",
                 login, pw->pw_shell);
    else if (pw->pw_uid < FIRST_PERSON_UID && !account_in_group(login, tunnel_group))
        buf_addf(out, "'%s' is a system account of another service: choose another name", login);
    else
        return true;
    return false;
}

bool account_setup_would_adopt(const struct conf *conf, const char *login)
{
    struct buf why = {0};
    const struct passwd *pw = getpwnam(login);
    const bool is_named =
        strcmp(login, conf->forward_login) == 0 || strcmp(login, conf->agent_login) == 0;
    const bool may = is_named && pw != NULL && account_may_adopt(login, conf->tunnel_group, &why);
    buf_release(&why);
    return may;
}

int account_make_login(const char *login, const char *tunnel_group, struct buf *out)
{
    const char *const join[] = {"usermod",     "--append",   "--groups", tunnel_group,   "--shell",
                                NOLOGIN_SHELL, "--password", "*",        "--expiredate", "",
                                login,         NULL};
    if (!account_may_adopt(login, tunnel_group, out))
        return -1;
    int rc = getpwnam(login) == NULL ? add_user(login, tunnel_group, LOGIN_HOME, NOLOGIN_SHELL, out)
                                     : run_tool(join, out);
    if (rc != 0 || end_ageing(login, out) != 0)
        return -1;
    mend_home(login);
    return mask_user_manager(login, out);
}

int account_make_program_login(const char *login, const char *group, const char *program,
                               struct buf *out)
{
    const char *const mend[] = {"usermod",      "--home", LOGIN_HOME, "--password", "*",
                                "--expiredate", "",       login,      NULL};
    const int rc = getpwnam(login) == NULL ? add_user(login, group, LOGIN_HOME, program, out)
                                           : run_tool(mend, out);
    if (rc != 0 || end_ageing(login, out) != 0)
        return -1;
    return mask_user_manager(login, out);
}
