/* SPDX-License-Identifier: ISC */
/* Only the account that `leasectl setup --join` makes may be JoinLogin. */
#include "lib/conf/join_login.h"

#include "tests/unit/helpers.h"

#define ROOT "root:x:0:0:root:/root:/bin/bash\n"
#define JOIN "join:x:990:980::/:" JOIN_PROGRAM "\n"
#define GROUPS "root:x:0:\n_tunnel:x:981:pfwd,gw-tunnel\n" JOIN_GROUP ":x:980:\n"

static char *dir, *passwd_file, *group_file;

static int set_up(void **state)
{
    (void)state;
    dir = temp_dir_make();
    passwd_file = path_in(dir, "passwd");
    group_file = path_in(dir, "group");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(passwd_file);
    free(group_file);
    temp_dir_remove(dir);
    return 0;
}

static const struct conf_logins logins = {.join_login = "join",
                                          .forward_login = "pfwd",
                                          .agent_login = "gw-tunnel",
                                          .jump_user = "li",
                                          .tunnel_group = "_tunnel"};

static const char *judge(const char *login)
{
    return join_login_problem_in(passwd_file, group_file, &logins, login);
}

static void accounts(void **state)
{
    static const struct {
        const char *what, *passwd, *group, *problem;
    } rows[] = {
        {"as setup makes it", ROOT JOIN, GROUPS, NULL},
        {"without a line end", ROOT "join:x:990:980::/:" JOIN_PROGRAM, GROUPS, NULL},
        {"in a group of others", ROOT JOIN, GROUPS "sshusers:x:9:join\n", NULL},
        {"a tunnel group with another join", ROOT JOIN, GROUPS "_tunnel:x:7:join2,xjoin\n", NULL},
        {"missing", ROOT, GROUPS, "is not in /etc/passwd"},
        {"another's name begins so", ROOT "join2:x:990:980::/:" JOIN_PROGRAM "\n", GROUPS,
         "is not in /etc/passwd"},
        {"a comment", ROOT "#" JOIN, GROUPS, "is not in /etc/passwd"},
        {"of NIS", ROOT "+" JOIN, GROUPS, "is not in /etc/passwd"},
        {"too few fields", ROOT "join:x:990:980::/\n", GROUPS, "is not in /etc/passwd"},
        {"no number", ROOT "join:x:99O:980::/:" JOIN_PROGRAM "\n", GROUPS, "is not in /etc/passwd"},
        {"root's id", ROOT "join:x:0:980::/:" JOIN_PROGRAM "\n", GROUPS, "user id of root"},
        {"the first of two lines counts", ROOT "join:x:0:980::/:" JOIN_PROGRAM "\n" JOIN, GROUPS,
         "user id of root"},
        {"another's id", ROOT JOIN "li:x:990:100::/home/li:/bin/sh\n", GROUPS,
         "of another account"},
        {"another's id, before it", "li:x:990:100::/home/li:/bin/sh\n" JOIN, GROUPS,
         "of another account"},
        {"a shell", ROOT "join:x:990:980::/:/bin/sh\n", GROUPS, "does not have the shell"},
        {"no shell", ROOT "join:x:990:980::/:\n", GROUPS, "does not have the shell"},
        {"nologin", ROOT "join:x:990:980::/:/usr/sbin/nologin\n", GROUPS,
         "does not have the shell"},
        {"a longer shell", ROOT "join:x:990:980::/:" JOIN_PROGRAM "2\n", GROUPS,
         "does not have the shell"},
        {"another primary group", ROOT "join:x:990:100::/:" JOIN_PROGRAM "\n", GROUPS,
         "primary group " JOIN_GROUP},
        {"a member only", ROOT "join:x:990:100::/:" JOIN_PROGRAM "\n",
         "_tunnel:x:981:\n" JOIN_GROUP ":x:980:join\n", "primary group " JOIN_GROUP},
        {"no such group", ROOT JOIN, "_tunnel:x:981:\n", "primary group " JOIN_GROUP},
        {"a member of the tunnel group", ROOT JOIN,
         "_tunnel:x:981:pfwd,join\n" JOIN_GROUP ":x:980:\n", "member of TunnelGroup"},
        {"by a second line of it", ROOT JOIN, GROUPS "_tunnel:x:7:join\n", "member of TunnelGroup"},
        {"by its primary group", ROOT "join:x:990:981::/:" JOIN_PROGRAM "\n", GROUPS,
         "member of TunnelGroup"},
        {"both groups have one number", ROOT JOIN, "_tunnel:x:980:\n" JOIN_GROUP ":x:980:\n",
         "member of TunnelGroup"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        write_text(passwd_file, rows[i].passwd);
        write_text(group_file, rows[i].group);
        CHECK_PROBLEM(rows[i].what, judge("join"), rows[i].problem);
    }
}

static void other_logins(void **state)
{
    (void)state;
    write_text(passwd_file, ROOT JOIN);
    write_text(group_file, GROUPS);
    CHECK_PROBLEM("itself", judge("join"), NULL);
    CHECK_PROBLEM("ForwardLogin", judge("pfwd"), "is ForwardLogin");
    CHECK_PROBLEM("AgentLogin", judge("gw-tunnel"), "is AgentLogin");
    CHECK_PROBLEM("JumpUser", judge("li"), "is JumpUser");
    CHECK_PROBLEM("root", judge("root"), "user id of root");
    CHECK_PROBLEM("none", judge(""), "is no name");
    CHECK_PROBLEM("no name", judge("a:b"), "is no name");
    struct conf_logins bad = logins;
    bad.problem = "has no usable name";
    CHECK_PROBLEM("a bad line in tunlease.conf",
                  join_login_problem_in(passwd_file, group_file, &bad, "join"),
                  "cannot be checked: a line of a login");
}

/* What cannot be read refuses, and says so. */
static void unreadable(void **state)
{
    (void)state;
    write_text(passwd_file, ROOT JOIN);
    write_text(group_file, GROUPS);
    assert_int_equal(unlink(group_file), 0);
    CHECK_PROBLEM("no group file", judge("join"), "cannot be checked: /etc/group");
    assert_int_equal(mkdir(group_file, 0755), 0);
    CHECK_PROBLEM("a directory", judge("join"), "cannot be checked: /etc/group");
    assert_int_equal(rmdir(group_file), 0);
    write_text(group_file, GROUPS);
    assert_int_equal(unlink(passwd_file), 0);
    CHECK_PROBLEM("no passwd file", judge("join"), "cannot be checked: /etc/passwd");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accounts),
        cmocka_unit_test(other_logins),
        cmocka_unit_test(unreadable),
    };
    return cmocka_run_group_tests_name("join_login", tests, set_up, tear_down);
}
