/* SPDX-License-Identifier: ISC */
#include "leasectl/host/account.h"

#include "leasectl/ctl.h"
#include "lib/base/array.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <shadow.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool account_in_group(const char *login, const char *group)
{
    const struct group *gr = getgrnam(group);
    const struct passwd *pw = getpwnam(login);
    if (gr == NULL || pw == NULL)
        return false;
    if (pw->pw_gid == gr->gr_gid)
        return true;
    for (char *const *member = gr->gr_mem; *member != NULL; member++)
        if (strcmp(*member, login) == 0)
            return true;
    return false;
}

const char *account_lease_problem(const char *login, const char *tunnel_group)
{
    const struct passwd *pw = getpwnam(login);
    if (pw == NULL)
        return "is no account on this host: 'leasectl setup' or 'leasectl login add' makes one";
    if (pw->pw_uid == 0)
        return "is uid 0: root is never a tunnel login";
    if (!account_in_group(login, tunnel_group))
        return "is not in the tunnel group (TunnelGroup): 'leasectl login add' makes tunnel logins";
    return NULL;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct names {
    char **items;
    size_t count, cap;
};

static void add_name(struct names *names, const char *name)
{
    char **items = array_grow(names->items, names->count, &names->cap, sizeof(*items), SIZE_MAX);
    if (items == NULL)
        return;
    names->items = items;
    items[names->count] = strdup(name);
    if (items[names->count] != NULL)
        names->count++;
}

int account_each(const char *group, int (*fn)(void *ctx, const char *login), void *ctx)
{
    struct names names = {0};
    struct passwd *pw;
    int rc = 0;
    const struct group *gr = getgrnam(group);
    if (gr == NULL)
        return 0;
    for (char *const *member = gr->gr_mem; *member != NULL; member++)
        add_name(&names, *member);
    gid_t gid = gr->gr_gid;
    setpwent();
    while ((pw = getpwent()) != NULL)
        if (pw->pw_gid == gid)
            add_name(&names, pw->pw_name);
    endpwent();
    if (names.count > 0)
        qsort(names.items, names.count, sizeof(*names.items), compare_names);
    for (size_t i = 0; rc == 0 && i < names.count; i++)
        if (i == 0 || strcmp(names.items[i - 1], names.items[i]) != 0)
            rc = fn(ctx, names.items[i]);
    for (size_t i = 0; i < names.count; i++)
        free(names.items[i]);
    free(names.items);
    return rc;
}

bool account_has_authorized_keys(const char *login, char *path, size_t path_bytes)
{
    static const char *const files[] = {".ssh/authorized_keys", ".ssh/authorized_keys2"};
    char line[4096];
    const struct passwd *pw = getpwnam(login);
    if (pw == NULL)
        return false;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        bool found = false;
        (void)snprintf(path, path_bytes, "%s/%s", pw->pw_dir, files[i]);
        FILE *f = fopen(path, "re");
        while (f != NULL && !found && fgets(line, sizeof(line), f) != NULL)
            found = line[strspn(line, " \t\r\n")] != '\0' && line[strspn(line, " \t")] != '#';
        if (f != NULL)
            (void)fclose(f);
        if (found)
            return true;
    }
    return false;
}

bool account_home_is_missing(const char *login)
{
    struct stat st;
    const struct passwd *pw = getpwnam(login);
    return pw != NULL && stat(pw->pw_dir, &st) != 0 && errno == ENOENT;
}

bool account_home_is_former(const char *login)
{
    const struct passwd *pw = getpwnam(login);
    return pw != NULL && strcmp(pw->pw_dir, NO_HOME) == 0 && account_home_is_missing(login);
}

bool account_is_nologin(const char *shell)
{
    const char *base = strrchr(shell, '/');
    base = base != NULL ? base + 1 : shell;
    return strcmp(base, "nologin") == 0 || strcmp(base, "false") == 0;
}

/* Password ageing breaks a login without an error: sshd accepts the key and forwards nothing
 * (docs/sshd-facts.md 11). */
static void check_shadow(const char *login, struct buf *out)
{
    const struct spwd *sp = getspnam(login);
    if (sp == NULL) {
        buf_addf(out, "its shadow entry cannot be read: %s\n",
                 geteuid() != 0 ? "run this as root" : "there is none");
        return;
    }
    if (strcmp(sp->sp_pwdp, "*") != 0)
        buf_add(out,
                sp->sp_pwdp[0] == '!'
                    ? "its password is locked with '!': where sshd has UsePAM no, that refuses "
                      "its keys too; it must be '*'\n"
                    : "it has a password; it must be '*'\n");
    if (sp->sp_max > 0 && sp->sp_max < 99999)
        buf_add(out, "its password will expire: its tunnels then look alive and carry nothing\n");
    if (sp->sp_lstchg == 0)
        buf_add(out, "its password has expired: its tunnels look alive and carry nothing\n");
    if (sp->sp_expire > 0)
        buf_add(out, "the account has an expiry date\n");
}

void account_mask_path(const char *login, char *out, size_t out_bytes)
{
    const struct passwd *pw = getpwnam(login);
    (void)snprintf(out, out_bytes, TUNLEASE_SYSCONFDIR "/systemd/system/user@%u.service",
                   pw != NULL ? pw->pw_uid : 0);
}

bool account_is_masked(const char *login)
{
    char path[256], target[32];
    account_mask_path(login, path, sizeof(path));
    ssize_t n = readlink(path, target, sizeof(target) - 1);
    return n == 9 && memcmp(target, "/dev/null", 9) == 0;
}

void account_check(const char *login, const char *tunnel_group, struct buf *out)
{
    char path[512];
    struct stat st;
    const char *problem = account_lease_problem(login, tunnel_group);
    if (problem != NULL) {
        buf_addf(out, "it %s\n", problem);
        return;
    }
    const struct passwd *pw = getpwnam(login);
    if (pw == NULL)
        return;
    uid_t uid = pw->pw_uid;
    if (!account_is_nologin(pw->pw_shell))
        buf_addf(out, "its shell is '%s': it must be " NOLOGIN_SHELL "\n", pw->pw_shell);
    else if (access(pw->pw_shell, X_OK) != 0)
        buf_addf(out, "its shell '%s' does not exist: sshd refuses every login\n", pw->pw_shell);
    if (stat(pw->pw_dir, &st) == 0 && (st.st_uid == uid || (st.st_mode & S_IWOTH) != 0))
        buf_addf(out,
                 "it can write to its home '%s', and so could add keys there: give the home to "
                 "root or use " LOGIN_HOME "\n",
                 pw->pw_dir);
    check_shadow(login, out);
    if (account_has_authorized_keys(login, path, sizeof(path)))
        buf_addf(out, "it has keys of its own in '%s', which outlive every lease\n", path);
    if (!account_is_masked(login))
        buf_add(out, "its systemd user manager is not masked: logind would start one at each "
                     "login, and count it as failed\n");
}

static int check_member(void *ctx, const char *login)
{
    const struct ctl *ctl = ctx;
    char path[512];
    if (strcmp(login, ctl->conf.forward_login) == 0 || strcmp(login, ctl->conf.agent_login) == 0)
        return 0;
    const struct passwd *pw = getpwnam(login);
    bool is_tunnel_login = pw != NULL && account_is_nologin(pw->pw_shell) && pw->pw_uid != 0 &&
                           !account_has_authorized_keys(login, path, sizeof(path));
    return is_tunnel_login
               ? 0
               : ctl_error(ctl, EXIT_CONFLICT,
                           "group '%s' has the member '%s', who is no tunnel login: a group with "
                           "people in it is never adopted; set TunnelGroup to another name",
                           ctl->conf.tunnel_group, login);
}

int account_check_members(struct ctl *ctl)
{
    return account_each(ctl->conf.tunnel_group, check_member, ctl);
}

bool account_uid(const char *login, uid_t *ret)
{
    const struct passwd *pw = getpwnam(login);
    if (pw != NULL)
        *ret = pw->pw_uid;
    return pw != NULL;
}
