/* SPDX-License-Identifier: ISC */
#include "leasectl/host/account.h"

#include "leasectl/ctl.h"
#include "lib/base/array.h"

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <shadow.h>
#include <stdarg.h>
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

bool account_any_group(const char *login, bool (*fn)(void *ctx, const struct group *gr), void *ctx)
{
    enum { GROUPS_MAX = 256 };
    gid_t gids[GROUPS_MAX];
    int count = GROUPS_MAX;
    const struct passwd *pw = getpwnam(login);
    if (pw == NULL)
        return false;
    if (getgrouplist(login, pw->pw_gid, gids, &count) < 0)
        count = GROUPS_MAX; /* there are more */
    for (int i = 0; i < count; i++) {
        const struct group *gr = getgrgid(gids[i]);
        if (gr != NULL && fn(ctx, gr))
            return true;
    }
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

static enum sight stream_has_keys(FILE *f)
{
    char line[4096];
    while (fgets(line, sizeof(line), f) != NULL)
        if (line[strspn(line, " \t\r\n")] != '\0' && line[strspn(line, " \t")] != '#')
            return SIGHT_IS;
    return ferror(f) ? SIGHT_CANNOT_TELL : SIGHT_IS_NOT;
}

enum sight account_open_keys(const char *path, FILE **ret)
{
    struct stat st;
    FILE *f = NULL;
    enum sight sight = SIGHT_CANNOT_TELL;
    /* Its owner can put a FIFO or a device there. sshd does not read those either. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) /* ENXIO: a socket */
        return errno == ENOENT || errno == ENOTDIR || errno == ENXIO ? SIGHT_IS_NOT
                                                                     : SIGHT_CANNOT_TELL;
    if (fstat(fd, &st) == 0)
        sight = S_ISREG(st.st_mode) ? SIGHT_IS : SIGHT_IS_NOT;
    if (sight == SIGHT_IS && (f = fdopen(fd, "r")) == NULL)
        sight = SIGHT_CANNOT_TELL;
    if (f != NULL) {
        *ret = f;
    } else {
        int saved = errno;
        (void)close(fd);
        errno = saved;
    }
    return sight;
}

enum sight account_file_has_keys(const char *path)
{
    FILE *f;
    enum sight sight = account_open_keys(path, &f);
    if (sight != SIGHT_IS)
        return sight;
    sight = stream_has_keys(f);
    int saved = errno;
    (void)fclose(f);
    errno = saved;
    return sight;
}

enum sight account_has_authorized_keys(const char *login, char *path, size_t path_bytes)
{
    static const char *const files[] = {".ssh/authorized_keys", ".ssh/authorized_keys2"};
    enum sight sight = SIGHT_IS_NOT;
    int why = 0;
    const struct passwd *pw = getpwnam(login);
    for (size_t i = 0; pw != NULL && i < sizeof(files) / sizeof(files[0]); i++) {
        char file[512];
        (void)snprintf(file, sizeof(file), "%s/%s", pw->pw_dir, files[i]);
        const enum sight one = account_file_has_keys(file);
        if (one == SIGHT_IS_NOT || (one == SIGHT_CANNOT_TELL && sight == one))
            continue;
        why = errno;
        sight = one;
        (void)strlcpy(path, file, path_bytes);
        if (one == SIGHT_IS)
            break;
    }
    errno = why;
    return sight;
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

/* Where account_problems tells what it finds. */
struct told {
    account_problem_fn fn;
    void *ctx;
    enum account_problem problem;
};

static void tell(const struct told *to, const char *mend, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* mend: a command without its last argument, the login. */
static void tell_command(const struct told *to, const char *login, const char *mend,
                         const char *what)
{
    char command[256];
    (void)snprintf(command, sizeof(command), "%s %s", mend, login);
    tell(to, command, "%s", what);
}

static void tell(const struct told *to, const char *mend, const char *fmt, ...)
{
    char what[1024];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(what, sizeof(what), fmt, ap);
    va_end(ap);
    to->fn(to->ctx, to->problem, what, mend);
}

/* Password ageing breaks a login without an error: sshd accepts the key and forwards nothing
 * (docs/sshd-facts.md 11). */
static void check_shadow(const char *login, const struct told *unsafe, const struct told *refused)
{
    const struct spwd *sp = getspnam(login);
    if (sp == NULL) {
        tell(refused, geteuid() != 0 ? "run this as root" : "pwconv",
             "its shadow entry cannot be read: %s",
             geteuid() != 0 ? "run this as root" : "there is none");
        return;
    }
    if (strcmp(sp->sp_pwdp, "*") != 0)
        tell_command(unsafe, login, "usermod --password '*'",
                     sp->sp_pwdp[0] == '!'
                         ? "its password is locked with '!': where sshd has UsePAM no, that "
                           "refuses its keys too; it must be '*'"
                         : "it has a password; it must be '*'");
    if (sp->sp_max > 0 && sp->sp_max < 99999)
        tell_command(refused, login, "chage --maxdays -1 --inactive -1",
                     "its password will expire: its tunnels then look alive and carry nothing");
    if (sp->sp_lstchg == 0)
        tell_command(refused, login, "chage --lastday -1",
                     "its password has expired: its tunnels look alive and carry nothing");
    if (sp->sp_expire > 0)
        tell_command(refused, login, "chage --expiredate -1", "the account has an expiry date");
}

void account_shadow_problems(const char *login, account_problem_fn fn, void *ctx)
{
    const struct told unsafe = {fn, ctx, ACCOUNT_UNSAFE}, refused = {fn, ctx, ACCOUNT_REFUSED};
    check_shadow(login, &unsafe, &refused);
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

/* usermod(8) refuses to change a home while a tunnel of the login is up; chown(1) works at once. A
 * home that others may write is none of the login's own, and stays as it is. */
static void check_home(const char *login, const struct passwd *pw, const struct told *to)
{
    char command[1024], ssh_dir[512];
    struct stat st, unused;
    if (stat(pw->pw_dir, &st) != 0 || (st.st_uid != pw->pw_uid && (st.st_mode & S_IWOTH) == 0))
        return;
    (void)snprintf(ssh_dir, sizeof(ssh_dir), "%s/.ssh", pw->pw_dir);
    if ((st.st_mode & S_IWOTH) != 0)
        (void)snprintf(command, sizeof(command),
                       "once no session of it is up: usermod --home " LOGIN_HOME " %s", login);
    else if (lstat(ssh_dir, &unused) == 0)
        (void)snprintf(command, sizeof(command), "chown root: '%s'; chown -R root: '%s'",
                       pw->pw_dir, ssh_dir);
    else
        (void)snprintf(command, sizeof(command), "chown root: '%s'", pw->pw_dir);
    tell(to, command,
         "it can write to its home '%s', and so could add keys there: give the home to root or "
         "use " LOGIN_HOME,
         pw->pw_dir);
}

static void check_keys(const char *login, const struct told *to)
{
    char path[512], command[2048];
    if (account_has_authorized_keys(login, path, sizeof(path)) != SIGHT_IS)
        return;
    (void)snprintf(command, sizeof(command),
                   "give each holder a lease (leasectl import '%s' --login %s), then: mv '%s' "
                   "'%s.moved'",
                   path, login, path, path);
    tell(to, command, "it has keys of its own in '%s', which outlive every lease", path);
}

void account_problems(const char *login, const char *tunnel_group, account_problem_fn fn, void *ctx)
{
    char command[256];
    const struct told unsafe = {fn, ctx, ACCOUNT_UNSAFE}, refused = {fn, ctx, ACCOUNT_REFUSED};
    const struct told by_hand = {fn, ctx, ACCOUNT_BY_HAND};
    const char *problem = account_lease_problem(login, tunnel_group);
    const struct passwd *pw = getpwnam(login);
    if (problem != NULL || pw == NULL) {
        if (pw != NULL && pw->pw_uid == 0)
            (void)snprintf(command, sizeof(command), "gpasswd -d %s %s", login, tunnel_group);
        else
            (void)snprintf(command, sizeof(command), "leasectl login add %s", login);
        tell(&unsafe, command, "it %s", problem != NULL ? problem : "has just been deleted");
        return;
    }
    (void)snprintf(command, sizeof(command), "usermod --shell " NOLOGIN_SHELL " %s", login);
    if (!account_is_nologin(pw->pw_shell))
        tell(&unsafe, command, "its shell is '%s': it must be " NOLOGIN_SHELL, pw->pw_shell);
    else if (access(pw->pw_shell, X_OK) != 0)
        tell(&refused, command, "its shell '%s' does not exist: sshd refuses every login",
             pw->pw_shell);
    check_home(login, pw, &by_hand);
    check_shadow(login, &unsafe, &refused);
    check_keys(login, &by_hand);
    if (!account_is_masked(login))
        tell_command(&unsafe, login, "leasectl login add",
                     "its systemd user manager is not masked: logind would start one at each "
                     "login, and count it as failed");
}

static void add_line(void *ctx, enum account_problem problem, const char *what, const char *mend)
{
    (void)problem;
    (void)mend;
    buf_addf(ctx, "%s\n", what);
}

void account_check(const char *login, const char *tunnel_group, struct buf *out)
{
    account_problems(login, tunnel_group, add_line, out);
}

static int check_member(void *ctx, const char *login)
{
    const struct ctl *ctl = ctx;
    char path[512];
    if (strcmp(login, ctl->conf.forward_login) == 0 || strcmp(login, ctl->conf.agent_login) == 0)
        return 0;
    const struct passwd *pw = getpwnam(login);
    bool is_tunnel_login = pw != NULL && account_is_nologin(pw->pw_shell) && pw->pw_uid != 0 &&
                           account_has_authorized_keys(login, path, sizeof(path)) == SIGHT_IS_NOT;
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
