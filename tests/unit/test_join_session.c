/* SPDX-License-Identifier: ISC */
/* Join connections: a process finds its own and no other, and the limits count those that live. */
#include "lib/session/join_session.h"

#include "lib/session/registry_count.h"
#include "lib/session/registry_lock.h"
#include "lib/session/registry_write.h"
#include "lib/session/run_dir.h"

#include "tests/unit/session_helpers.h"

#include <bsd/string.h>
#include <errno.h>

static char *dir, *run;
static struct registry r;

static int set_up(void **state)
{
    (void)state;
    dir = temp_dir_make();
    run = path_in(dir, "run");
    assert_int_equal(run_dir_make(run), 0);
    assert_int_equal(join_registry_open(run, true, &r), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    registry_close(&r);
    free(run);
    temp_dir_remove(dir);
    return 0;
}

static int64_t soon(void)
{
    return clock_monotonic_ms() + slow_ms(WAIT_MS);
}

static struct session connection_of(pid_t pid, const char *source)
{
    struct session s = session_of(pid);
    s.lease_id = JOIN_SESSION_ID;
    (void)strlcpy(s.lease, JOIN_SESSION_LEASE, sizeof(s.lease));
    (void)strlcpy(s.login, "join", sizeof(s.login));
    (void)strlcpy(s.source, source, sizeof(s.source));
    return s;
}

static void put(const struct session *s)
{
    assert_int_equal(registry_open_session(&r, s), 0);
}

/* ---- whose connection it is ---- */

/* Runs join_session_of in a grandchild of the caller, and returns what it saw. */
static int seen_by_grandchild(pid_t wanted)
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        pid_t grandchild = fork();
        if (grandchild == 0) {
            struct session s;
            enum sight sight = join_session_of(run, getpid(), &s);
            _exit(sight == SIGHT_IS && s.pid == wanted ? 0 : 1 + (int)sight);
        }
        if (waitpid(grandchild, &status, 0) != grandchild)
            _exit(9);
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 9);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 9;
}

static void by_ancestors(void **state)
{
    struct session got, mine = connection_of(getpid(), "192.0.2.7");
    pid_t other = idle_child();
    struct session others = connection_of(other, "192.0.2.8");
    (void)state;
    assert_int_equal(join_session_of(run, getpid(), &got), SIGHT_IS_NOT);
    put(&others); /* a child of ours: not above us */
    assert_int_equal(join_session_of(run, getpid(), &got), SIGHT_IS_NOT);
    put(&mine);
    assert_int_equal(join_session_of(run, getpid(), &got), SIGHT_IS);
    assert_int_equal(got.pid, getpid());
    assert_string_equal(got.fingerprint, mine.fingerprint);
    assert_string_equal(got.source, "192.0.2.7");
    session_release(&got);
    assert_int_equal(seen_by_grandchild(getpid()), 0);
    /* The nearest: its own, and not that of its parent. */
    assert_int_equal(join_session_of(run, other, &got), SIGHT_IS);
    assert_int_equal(got.pid, other);
    session_release(&got);
    assert_int_equal(join_session_of(run, 1, &got), SIGHT_IS_NOT);
    registry_remove_own(&r, JOIN_SESSION_ID, other);
    registry_remove_own(&r, JOIN_SESSION_ID, getpid());
    assert_int_equal(seen_by_grandchild(getpid()), 1 + SIGHT_IS_NOT);
    end_child(other);
}

/* An entry of an earlier process with our pid is not ours. */
static void of_another_start(void **state)
{
    struct session got, stale = connection_of(getpid(), "192.0.2.7");
    (void)state;
    stale.start_ticks--;
    put(&stale);
    assert_int_equal(join_session_of(run, getpid(), &got), SIGHT_IS_NOT);
    registry_remove_own(&r, JOIN_SESSION_ID, getpid());
}

/* A session of a lease is none, wherever its entry lies. */
static void of_a_lease(void **state)
{
    struct session got, leased = session_of(getpid());
    struct registry of_leases;
    size_t count;
    (void)state;
    assert_int_equal(registry_open(run, true, &of_leases), 0);
    assert_int_equal(registry_open_session(&of_leases, &leased), 0);
    put(&leased);
    assert_int_equal(join_session_of(run, getpid(), &got), SIGHT_IS_NOT);
    registry_remove_own(&r, 17, getpid());
    registry_remove_own(&of_leases, 17, getpid());
    /* And a join connection counts for no lease. */
    struct session mine = connection_of(getpid(), "192.0.2.7");
    put(&mine);
    assert_int_equal(registry_count(run, JOIN_SESSION_ID, &count), 0);
    assert_int_equal(count, 0);
    assert_true(registry_has_none(run));
    registry_remove_own(&r, JOIN_SESSION_ID, getpid());
    registry_close(&of_leases);
}

static void look_without_room(void *arg)
{
    struct session got;
    (void)arg;
    assert_int_equal(join_session_of(run, getpid(), &got), SIGHT_CANNOT_TELL);
    assert_int_equal(errno, EMFILE);
}

static void cannot_tell(void **state)
{
    struct session got;
    char *nowhere = path_in(dir, "nowhere");
    (void)state;
    assert_int_equal(join_session_of(run, 0, &got), SIGHT_CANNOT_TELL);
    assert_int_equal(errno, EXDEV);
    assert_int_equal(join_session_of(nowhere, getpid(), &got), SIGHT_IS_NOT);
    without_room(look_without_room, NULL);
    char *join = path_in(run, JOIN_DIRECTORY);
    assert_int_equal(chmod(join, 0777), 0);
    assert_int_equal(join_session_of(run, getpid(), &got), SIGHT_CANNOT_TELL);
    assert_int_equal(errno, EPERM);
    assert_int_equal(chmod(join, 0750), 0);
    free(join);
    free(nowhere);
}

/* ---- how many ---- */

static pid_t leaving;    /* of the last room_for; 0: none */
static bool was_refused; /* and its code was wrong */

static enum sight room_for(const char *source, const char **ret_why)
{
    struct session_list leaves = {.items = NULL};
    int lock = registry_lock(&r, JOIN_SESSION_ID, soon());
    assert_true(lock >= 0);
    *ret_why = "";
    enum sight sight = join_session_has_room(&r, source, soon(), &leaves, &was_refused, ret_why);
    leaving = leaves.count > 0 ? leaves.items[0].pid : 0;
    assert_true(leaves.count <= 1);
    session_list_release(&leaves);
    assert_int_equal(close(lock), 0);
    return sight;
}

static void limits_of_a_source(void **state)
{
    static const struct {
        const char *what, *stands, *comes;
        bool is_same;
    } rows[] = {
        {"one address", "192.0.2.7", "192.0.2.7", true},
        {"its neighbour", "192.0.2.7", "192.0.2.8", false},
        {"the same, mapped", "192.0.2.7", "::ffff:192.0.2.7", true},
        {"another, mapped", "192.0.2.7", "::ffff:192.0.2.8", false},
        {"one /64", "2001:db8:0:1::7", "2001:db8:0:1:ffff::8", true},
        {"the next /64", "2001:db8:0:1::7", "2001:db8:0:2::7", false},
        {"link-local, with its zone", "fe80::1%eth0", "fe80::2%eth1", true},
        {"not known", "", "192.0.2.7", true},
    };
    pid_t pids[JOIN_SOURCE_MAX];
    const char *why;
    (void)state;
    for (int i = 0; i < JOIN_SOURCE_MAX; i++)
        pids[i] = idle_child();
    for (size_t row = 0; row < COUNT(rows); row++) {
        for (int i = 0; i < JOIN_SOURCE_MAX; i++) {
            struct session s = connection_of(pids[i], rows[row].stands);
            CHECK(rows[row].what, room_for(rows[row].comes, &why) == SIGHT_IS);
            put(&s);
        }
        CHECK(rows[row].what,
              room_for(rows[row].comes, &why) == (rows[row].is_same ? SIGHT_IS_NOT : SIGHT_IS));
        if (rows[row].is_same)
            CHECK_PROBLEM(rows[row].what, why, "one source");
        CHECK("nobody leaves for who has his share", leaving == 0);
        for (int i = 0; i < JOIN_SOURCE_MAX; i++)
            registry_remove_own(&r, JOIN_SESSION_ID, pids[i]);
    }
    for (int i = 0; i < JOIN_SOURCE_MAX; i++)
        end_child(pids[i]);
}

static void limit_of_all(void **state)
{
    pid_t pids[JOIN_SESSIONS_MAX];
    char source[SESSION_ADDRESS_BYTES];
    struct session_list none;
    const char *why;
    (void)state;
    for (int i = 0; i < JOIN_SESSIONS_MAX; i++) {
        pids[i] = idle_child();
        (void)snprintf(source, sizeof(source), "192.0.2.%d", i);
        struct session s = connection_of(pids[i], source);
        assert_int_equal(room_for("198.51.100.1", &why), SIGHT_IS);
        put(&s);
    }
    assert_int_equal(room_for("198.51.100.1", &why), SIGHT_IS_NOT);
    CHECK_PROBLEM("in all", why, "in all");
    CHECK("the oldest leaves", leaving == pids[0]);
    /* Of the source that has most the oldest, though another one is older. */
    struct session second = connection_of(pids[9], "192.0.2.5");
    registry_remove_own(&r, JOIN_SESSION_ID, pids[9]);
    put(&second);
    assert_int_equal(room_for("198.51.100.1", &why), SIGHT_IS_NOT);
    CHECK("of the source with two", leaving == pids[5]);
    /* The dead do not count, and their entries go. */
    end_child(pids[3]);
    assert_int_equal(room_for("198.51.100.1", &why), SIGHT_IS);
    int lock = registry_lock(&r, JOIN_SESSION_ID, 0);
    assert_true(lock >= 0);
    assert_int_equal(close(lock), 0);
    struct session gone;
    assert_int_equal(join_session_of(run, pids[3], &gone), SIGHT_IS_NOT);
    char *entry = NULL;
    assert_true(asprintf(&entry, "%s/join/sessions/1.%d", run, (int)pids[3]) > 0);
    assert_int_equal(access(entry, F_OK), -1);
    free(entry);
    /* With no time left nobody has counted. */
    assert_int_equal(join_session_has_room(&r, "198.51.100.1", 0, &none, &was_refused, &why),
                     SIGHT_CANNOT_TELL);
    for (int i = 0; i < JOIN_SESSIONS_MAX; i++) {
        registry_remove_own(&r, JOIN_SESSION_ID, pids[i]);
        if (i != 3)
            end_child(pids[i]);
    }
}

static uid_t login_uid(void)
{
    return geteuid() == 0 ? NOBODY : getuid();
}

/* A monitor with sshd's child and its program below it, which calls itself name. */
static pid_t connection_with_program(const char *name)
{
    pid_t monitor = fork();
    assert_true(monitor >= 0);
    if (monitor != 0)
        return monitor;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int depth = 0; depth < 2 && fork() == 0; depth++) {
        if (geteuid() == 0)
            (void)!setresuid(NOBODY, NOBODY, NOBODY);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (depth == 1)
            (void)prctl(PR_SET_NAME, name);
    }
    for (;;)
        (void)pause();
}

/* Whether the program that calls itself so is below the monitor yet: join_session_has_room would
 * not find it a moment earlier. */
static bool program_is(pid_t monitor, const char *name)
{
    struct process child = {.pid = 0}, program = {.pid = 0};
    size_t count = 0;
    return process_children(monitor, login_uid(), &child, 1, &count) == SIGHT_IS &&
           process_children(child.pid, login_uid(), &program, 1, &count) == SIGHT_IS &&
           strcmp(program.name, name) == 0;
}

/* Who has been judged gives way before all others, and makes room where his source has its share.
 */
static void wrong_codes_leave_first(void **state)
{
    static const char source[] = "192.0.2.5";
    pid_t pids[JOIN_SESSIONS_MAX];
    const char *why;
    (void)state;
    for (int i = 0; i < JOIN_SESSIONS_MAX; i++) {
        /* 0 to 2 are of one source; 7 and 9 are judged, 3 and 4 are not, whatever they are called.
         */
        const char *name = i == 7 || i == 9 ? JOIN_REFUSED_NAME
                           : i == 3         ? "join-refuse"
                           : i == 4         ? "join-refused)"
                                            : "join";
        char of[SESSION_ADDRESS_BYTES];
        (void)snprintf(of, sizeof(of), "192.0.2.%d", i < 3 ? 100 : i);
        pids[i] = connection_with_program(name);
        WAIT_UNTIL("its program", program_is(pids[i], name));
        struct session s = connection_of(pids[i], of);
        s.uid = login_uid();
        put(&s);
    }
    assert_int_equal(room_for("198.51.100.1", &why), SIGHT_IS_NOT);
    CHECK("the older one of the judged", leaving == pids[7] && was_refused);
    registry_remove_own(&r, JOIN_SESSION_ID, pids[7]);
    struct session more = connection_of(pids[7], "192.0.2.100");
    more.uid = login_uid() - 1; /* its program is none of that login */
    put(&more);
    assert_int_equal(room_for("198.51.100.1", &why), SIGHT_IS_NOT);
    CHECK("the other one", leaving == pids[9] && was_refused);
    assert_int_equal(room_for("192.0.2.100", &why), SIGHT_IS_NOT);
    CHECK_PROBLEM("four of one source", why, "one source");
    CHECK("none of them was judged", leaving == 0 && !was_refused);
    registry_remove_own(&r, JOIN_SESSION_ID, pids[9]);
    struct session judged = connection_of(pids[9], source);
    judged.uid = login_uid();
    put(&judged);
    for (int i = 2; i >= 0; i--) { /* now two of source are judged, and two are not */
        struct session s = connection_of(pids[i], i == 2 ? "192.0.2.200" : source);
        registry_remove_own(&r, JOIN_SESSION_ID, pids[i]);
        s.uid = login_uid();
        put(&s);
    }
    assert_int_equal(room_for(source, &why), SIGHT_IS_NOT);
    CHECK("of one's own source, one that was judged", leaving == pids[9] && was_refused);
    end_child(pids[9]);
    assert_int_equal(room_for("192.0.2.200", &why), SIGHT_IS);
    registry_remove_own(&r, JOIN_SESSION_ID, pids[9]);
    for (int i = 0; i < JOIN_SESSIONS_MAX; i++) {
        registry_remove_own(&r, JOIN_SESSION_ID, pids[i]);
        if (i != 9)
            end_child(pids[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_ancestors),
        cmocka_unit_test(of_another_start),
        cmocka_unit_test(of_a_lease),
        cmocka_unit_test(cannot_tell),
        cmocka_unit_test(limits_of_a_source),
        cmocka_unit_test(limit_of_all),
        cmocka_unit_test(wrong_codes_leave_first),
    };
    return cmocka_run_group_tests_name("join_session", tests, set_up, tear_down);
}
