/* SPDX-License-Identifier: ISC */
#include "leasectl/host/join_account.h"

#include "leasectl/host/tool.h"
#include "lib/base/clock.h"
#include "lib/conf/conf.h"
#include "lib/conf/join_login.h"
#include "lib/session/process.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TOOL_MS = 30000, ENDING_MS = 3000, POLL_MS = 50, COMMAND_BYTES = 256 };

static const char *why_it_is_none(const struct conf *conf)
{
    struct conf_logins logins;
    conf_logins_of(conf, &logins);
    return join_login_problem(&logins, conf->join_login);
}

static bool is_ours(const char *login)
{
    const struct passwd *pw = getpwnam(login);
    if (pw == NULL || pw->pw_uid == 0 || strcmp(pw->pw_shell, JOIN_PROGRAM) != 0)
        return false;
    const gid_t gid = pw->pw_gid;
    const struct group *gr = getgrnam(JOIN_GROUP);
    return gr != NULL && gr->gr_gid == gid;
}

/* ---- is it free? ---- */

struct stranger {
    struct buf *out, *mend;
};

static int tell_stranger(void *ctx, const char *login)
{
    const struct stranger *s = ctx;
    if (is_ours(login))
        return 0;
    buf_addf(s->out, "the group '" JOIN_GROUP "' has the member '%s', whom setup has not made",
             login);
    buf_add(s->mend, "Take it out of that group, or remove the group");
    return 1;
}

bool join_account_is_free(const struct conf *conf, const char *conf_file, struct buf *out,
                          struct buf *mend)
{
    struct stranger s = {out, mend};
    const char *login = conf->join_login;
    const char *problem = getpwnam(login) != NULL ? why_it_is_none(conf) : NULL;
    if (problem == NULL)
        return account_each(JOIN_GROUP, tell_stranger, &s) == 0;
    buf_addf(out,
             "JoinLogin '%s' %s, and an account that is there is never made the one that joins",
             login, problem);
    buf_addf(mend, "Choose a name that nobody has: 'JoinLogin NAME' in '%s'", conf_file);
    return false;
}

/* ---- what is wrong with it? ---- */

struct search {
    const char *login;
    account_problem_fn fn;
    void *ctx;
};

static bool tell_group(void *ctx, const struct group *gr)
{
    const struct search *s = ctx;
    char what[128], mend[COMMAND_BYTES];
    if (strcmp(gr->gr_name, JOIN_GROUP) == 0)
        return false;
    (void)snprintf(what, sizeof(what),
                   "it is in the group '%s', and only " JOIN_GROUP " is its own", gr->gr_name);
    (void)snprintf(mend, sizeof(mend), "gpasswd -d %s %s", s->login, gr->gr_name);
    s->fn(s->ctx, ACCOUNT_BY_HAND, what, mend);
    return false;
}

static void tell_home(const struct search *s, const struct passwd *pw)
{
    char what[512], mend[COMMAND_BYTES];
    if (strcmp(pw->pw_dir, LOGIN_HOME) == 0)
        return;
    (void)snprintf(what, sizeof(what), "its home is '%s', not " LOGIN_HOME, pw->pw_dir);
    (void)snprintf(mend, sizeof(mend), "usermod --home " LOGIN_HOME " %s", s->login);
    s->fn(s->ctx, ACCOUNT_UNSAFE, what, mend);
}

/* The command that makes it the account that setup makes, where one does. */
static void add_mend(const struct conf *conf, char mend[static COMMAND_BYTES])
{
    const char *login = conf->join_login;
    const bool is_member = account_in_group(login, conf->tunnel_group);
    const struct passwd *pw = getpwnam(login);
    const struct group *gr = getgrnam(JOIN_GROUP);
    (void)snprintf(mend, COMMAND_BYTES, "leasectl setup");
    if (pw == NULL || pw->pw_uid == 0)
        return;
    if (is_member)
        (void)snprintf(mend, COMMAND_BYTES, "gpasswd -d %s %s", login, conf->tunnel_group);
    else if (gr == NULL || pw->pw_gid != gr->gr_gid)
        (void)snprintf(mend, COMMAND_BYTES,
                       "where setup has made it: usermod --gid " JOIN_GROUP " %s; else another "
                       "JoinLogin, and leasectl setup",
                       login);
    else if (strcmp(pw->pw_shell, JOIN_PROGRAM) != 0)
        (void)snprintf(mend, COMMAND_BYTES, "usermod --shell " JOIN_PROGRAM " %s", login);
}

void join_account_problems(const struct conf *conf, account_problem_fn fn, void *ctx)
{
    const char *login = conf->join_login;
    const char *problem = why_it_is_none(conf);
    struct search s = {.login = login, .fn = fn, .ctx = ctx};
    const struct passwd *pw = getpwnam(login);
    char mend[COMMAND_BYTES];
    if (problem != NULL || pw == NULL) {
        add_mend(conf, mend);
        fn(ctx, ACCOUNT_BY_HAND, problem != NULL ? problem : "has just been deleted", mend);
        return;
    }
    tell_home(&s, pw);
    (void)account_any_group(login, tell_group, &s);
    account_shadow_problems(login, fn, ctx);
    if (!account_is_masked(login))
        fn(ctx, ACCOUNT_UNSAFE,
           "its systemd user manager is not masked: logind would start one at each login",
           "leasectl setup");
}

/* ---- made and removed ---- */

int join_account_make(const struct conf *conf, struct buf *out)
{
    if (account_make_group(JOIN_GROUP, out) != 0)
        return -1;
    return account_make_program_login(conf->join_login, JOIN_GROUP, JOIN_PROGRAM, out);
}

struct names {
    int (*fn)(void *ctx, const char *login);
    void *ctx;
};

static int call_if_ours(void *arg, const char *login)
{
    const struct names *n = arg;
    return is_ours(login) ? n->fn(n->ctx, login) : 0;
}

int join_account_each(int (*fn)(void *ctx, const char *login), void *ctx)
{
    struct names n = {fn, ctx};
    return account_each(JOIN_GROUP, call_if_ours, &n);
}

/* The processes of an account, in this container alone: another may give the number to somebody. */
struct ending {
    uid_t uid;
    gid_t gid;
    struct stat root;
    int signal_number; /* 0: only count them */
    unsigned count;
};

static bool signal_if_its(void *ctx, const struct process *p)
{
    struct ending *e = ctx;
    char root[64];
    struct stat st;
    (void)snprintf(root, sizeof(root), "/proc/%d/root", (int)p->pid);
    if (p->uid != e->uid || p->gid != e->gid || process_has_ended(p) || stat(root, &st) != 0 ||
        st.st_dev != e->root.st_dev || st.st_ino != e->root.st_ino)
        return false;
    if (kill(p->pid, e->signal_number) == 0)
        e->count++;
    return false;
}

static bool signal_all(struct ending *e, int signal_number)
{
    e->signal_number = signal_number;
    e->count = 0;
    (void)process_each(signal_if_its, e);
    return e->count > 0;
}

/* userdel(8) does not remove a user who has processes. sshd lets none in any more. */
static void end_processes(uid_t uid, gid_t gid)
{
    const int64_t end_ms = clock_monotonic_ms() + ENDING_MS;
    struct ending e = {.uid = uid, .gid = gid};
    if (stat("/", &e.root) != 0)
        return;
    bool left = signal_all(&e, SIGTERM);
    while (left && clock_monotonic_ms() < end_ms) {
        (void)poll(NULL, 0, POLL_MS);
        left = signal_all(&e, 0);
    }
    if (left)
        (void)signal_all(&e, SIGKILL);
}

int join_account_remove(const char *login, struct buf *out)
{
    const char *const argv[] = {"userdel", login, NULL};
    char mask[256];
    const struct passwd *pw = getpwnam(login);
    if (pw == NULL || pw->pw_uid == 0)
        return 0;
    const uid_t uid = pw->pw_uid;
    const gid_t gid = pw->pw_gid;
    account_mask_path(login, mask, sizeof(mask));
    const bool is_masked = account_is_masked(login);
    end_processes(uid, gid);
    if (tool_run(argv[0], argv, NULL, TOOL_MS, out) != 0)
        return -1;
    if (is_masked && unlink(mask) != 0) {
        buf_addf(out, "cannot remove '%s': %s", mask, strerror(errno));
        return -1;
    }
    return 0;
}

static int name_member(void *ctx, const char *login)
{
    buf_addf(ctx, "the group '" JOIN_GROUP "' stays, for '%s' is in it", login);
    return 1;
}

int join_account_remove_group(struct buf *out)
{
    const char *const argv[] = {"groupdel", JOIN_GROUP, NULL};
    if (getgrnam(JOIN_GROUP) == NULL)
        return 0;
    if (account_each(JOIN_GROUP, name_member, out) != 0)
        return -1;
    return tool_run(argv[0], argv, NULL, TOOL_MS, out);
}
