/* SPDX-License-Identifier: ISC */
/*
 * table MODULE: what each entry point returns for which user, called through libpam and its service
 * files.
 *
 * nobody belongs to nogroup by its primary group, and daemon does not. root is a member of its own
 * group, and still no tunnel login.
 */
#include "tests/pam/guest.h"

#include <dlfcn.h>
#include <grp.h>

struct entry_point {
    const char *name;
    int (*call)(pam_handle_t *pamh, int flags);
    int in_sshd; /* for a tunnel login, or JoinLogin, whose key sshd does not name */
};

static const struct entry_point entry_points[] = {
    {"authenticate", pam_authenticate, PAM_PERM_DENIED},
    {"setcred", pam_setcred, IGNORED},
    {"acct_mgmt", pam_acct_mgmt, IGNORED},
    {"open_session", pam_open_session, PAM_PERM_DENIED},
    {"close_session", pam_close_session, PAM_SUCCESS},
    {"chauthtok", pam_chauthtok, PAM_PERM_DENIED},
};

static const char *const services[] = {"sshd", "su",           "login",       "cron",
                                       "sudo", "systemd-user", "sshd-tunnel", "sshd2"};

struct module_line {
    const char *args;
    const char *group;        /* whose members are tunnel logins; NULL: there are none */
    const char *sshd_service; /* the service that counts as sshd; NULL: all are refused */
    const char *join_group;   /* whose members may join; NULL: there are none */
};

static const struct module_line sets[] = {
    {"end=no group=nogroup", "nogroup", "sshd", NULL},
    {"end=no", "_tunnel", "sshd", NULL},
    {"end=no group=tunlease-missing", NULL, "sshd", NULL},
    {"end=no group=tunlease-missing unknown=1", NULL, NULL, NULL},
    {"end=no group=nogroup unknown=1", "nogroup", NULL, NULL},
    {"end=no group=nogroup use_first_pass", "nogroup", NULL, NULL},
    {"end=no group=nogroup service=sshd-tunnel", "nogroup", "sshd-tunnel", NULL},
    {"end=no group=nogroup akc=", "nogroup", NULL, NULL},
    {"end=no group=nogroup akc=/nonexistent akc_user=nobody", "nogroup", "sshd", NULL},
    {"end=no group=nogroup conf=/nonexistent", "nogroup", "sshd", NULL},
    {"end=no group=nogroup debug", "nogroup", "sshd", NULL},
    {"end=no group=root", "root", "sshd", NULL},
    {"end=no group=daemon", "daemon", "sshd", NULL},
    /* JoinLogin, as a tunnel login, has its session in sshd alone. */
    {"end=no join_group=nogroup", "_tunnel", "sshd", "nogroup"},
    {"end=no group=tunlease-missing join_group=nogroup", NULL, "sshd", "nogroup"},
    {"end=no group=daemon join_group=nogroup", "daemon", "sshd", "nogroup"},
    {"end=no group=daemon join_group=root", "daemon", "sshd", "root"},
    {"end=no group=nogroup join_group=tunlease-missing", "nogroup", "sshd", NULL},
    {"end=no group=tunlease-missing join_group=nogroup unknown=1", NULL, NULL, "nogroup"},
    {"end=no group=tunlease-missing join_group=nogroup service=sshd-tunnel", NULL, "sshd-tunnel",
     "nogroup"},
    {"end=no group=tunlease-missing join_group=", NULL, NULL, NULL},
    {"end=no group=tunlease-missing join_group=nogroup conf=/nonexistent", NULL, "sshd", "nogroup"},
    /* Who is in both groups is refused everywhere. */
    {"end=no group=nogroup join_group=nogroup", "nogroup", "sshd", "nogroup"},
};

/* Whether user is a member of group, by another way: getgrouplist(3). */
static bool is_member(const char *user, const char *group)
{
    const struct passwd *pw = getpwnam(user);
    gid_t gids[64];
    int count = (int)COUNT(gids);
    if (pw == NULL || pw->pw_uid == 0 || group == NULL ||
        getgrouplist(user, pw->pw_gid, gids, &count) < 0)
        return false;
    const struct group *gr = getgrnam(group);
    for (int i = 0; gr != NULL && i < count; i++)
        if (gids[i] == gr->gr_gid)
            return true;
    return false;
}

static unsigned checked, refusals;

static void check_calls(const char *user, const struct module_line *line, const char *service)
{
    bool leases = is_member(user, line->group), joins = is_member(user, line->join_group);
    for (size_t i = 0; i < COUNT(entry_points); i++) {
        const struct entry_point *e = &entry_points[i];
        int want = !leases && !joins ? IGNORED
                   : leases && joins ? PAM_PERM_DENIED
                   : line->sshd_service == NULL || strcmp(line->sshd_service, service) != 0
                       ? PAM_PERM_DENIED
                       : e->in_sshd;
        pam_handle_t *pamh = start(service, user);
        int got = e->call(pamh, 0);
        if (got != want)
            fail_msg("%s of %s in %s with '%s': %d (%s), not %d", e->name, user, service,
                     line->args, got, pam_strerror(pamh, got), want);
        assert_int_equal(pam_end(pamh, got), PAM_SUCCESS);
        checked++;
        refusals += want == PAM_PERM_DENIED;
    }
}

static void check_user(const char *user, const struct module_line *line)
{
    for (size_t i = 0; i < COUNT(services); i++) {
        write_service(services[i], line->args);
        check_calls(user, line, services[i]);
    }
}

static void table(void **state)
{
    static const char *const users[] = {"nobody", "daemon", "root", "tunlease-no-such-user", "-c"};
    (void)state;
    for (size_t i = 0; i < COUNT(sets); i++)
        for (size_t j = 0; j < COUNT(users); j++)
            check_user(users[j], &sets[i]);
    assert_true(refusals > 300);
    assert_int_equal(conversations, 0);
    print_message("%u calls, %u of them refusals\n", checked, refusals);
}

/* A member by the list of the group, if this host has one. */
static void named_member(void **state)
{
    char args[128], group[64] = "", user[64] = "";
    (void)state;
    setgrent();
    for (const struct group *gr; user[0] == '\0' && (gr = getgrent()) != NULL;) {
        const struct passwd *pw = gr->gr_mem[0] != NULL ? getpwnam(gr->gr_mem[0]) : NULL;
        if (pw == NULL || pw->pw_uid == 0 || pw->pw_gid == gr->gr_gid)
            continue;
        (void)snprintf(group, sizeof(group), "%s", gr->gr_name);
        (void)snprintf(user, sizeof(user), "%s", pw->pw_name);
    }
    endgrent();
    if (user[0] == '\0')
        skip();
    (void)snprintf(args, sizeof(args), "end=no group=%s", group);
    const struct module_line line = {args, group, "sshd", NULL};
    unsigned before = refusals;
    check_user(user, &line);
    assert_true(refusals > before);
}

/* For a user who is no tunnel login nothing is read, not even a bad configuration. */
static void no_user_no_opinion(void **state)
{
    (void)state;
    write_service("su", "end=no group=nogroup");
    pam_handle_t *pamh = start("su", "");
    assert_int_equal(pam_open_session(pamh, 0), IGNORED);
    assert_int_equal(pam_end(pamh, 0), PAM_SUCCESS);
}

static void exports(void **state)
{
    static const char *const ours[] = {"pam_sm_authenticate",  "pam_sm_setcred",
                                       "pam_sm_acct_mgmt",     "pam_sm_open_session",
                                       "pam_sm_close_session", "pam_sm_chauthtok"};
    static const char *const inner[] = {"module_args_parse", "admit_open",      "helper_check",
                                        "registry_open",     "auth_info_parse", "ladder_start",
                                        "conf_paths_load",   "base64_decode",   "judgement_parse",
                                        "membership_find"};
    (void)state;
    void *module = dlopen(module_path, RTLD_NOW | RTLD_LOCAL);
    if (module == NULL)
        fail_msg("%s", dlerror());
    for (size_t i = 0; i < COUNT(ours); i++)
        CHECK(ours[i], dlsym(module, ours[i]) != NULL);
    for (size_t i = 0; i < COUNT(inner); i++)
        CHECK(inner[i], dlsym(module, inner[i]) == NULL);
    assert_int_equal(dlclose(module), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),
        cmocka_unit_test(named_member),
        cmocka_unit_test(no_user_no_opinion),
        cmocka_unit_test(exports),
    };
    if (argc != 2) {
        (void)fputs("usage: table MODULE\n", stderr);
        return 2;
    }
    module_path = argv[1];
    make_world();
    int failed = cmocka_run_group_tests_name("table", tests, NULL, NULL);
    temp_dir_remove(dir);
    return failed;
}
