/* SPDX-License-Identifier: ISC */
/* Processes of a tunnel login that no entry names are found if they stay, and no others are. */
#include "lib/session/registry_read.h"
#include "lib/session/registry_write.h"
#include "lib/session/strays.h"

#include "tests/unit/session_helpers.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum { UID_FIRST = 1000000000 };

static uid_t uids[1]; /* used by this run alone: the scan sees the whole machine */
static struct stray_logins logins = {.uids = uids, .uid_count = 1};
static char *dir;
static struct registry r;

static int set_up(void **state)
{
    (void)state;
    dir = temp_dir_make();
    char *sessions = path_in(dir, "sessions"), *locks = path_in(dir, "lock");
    assert_int_equal(mkdir(sessions, 0750), 0);
    assert_int_equal(mkdir(locks, 0700), 0);
    assert_int_equal(registry_open(dir, true, &r), 0);
    free(sessions);
    free(locks);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    registry_close(&r);
    temp_dir_remove(dir);
    return 0;
}

static void become_login(void)
{
    if (setresgid((gid_t)uids[0], (gid_t)uids[0], (gid_t)uids[0]) != 0 ||
        setresuid(uids[0], uids[0], uids[0]) != 0)
        _exit(1);
}

/* Starts a monitor that leads a session, and its child, which runs as the login, as sshd does. When
 * something is written to *ret_end, first the child ends and then the monitor. */
static pid_t start_connection(int *ret_end)
{
    int ready[2], end[2];
    char c;
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(end), 0);
    pid_t monitor = fork();
    assert_true(monitor >= 0);
    if (monitor == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)setsid();
        pid_t child = fork();
        if (child == 0) {
            become_login();
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            (void)!write(ready[1], "", 1);
            for (;;)
                (void)pause();
        }
        (void)!read(end[0], &c, 1);
        (void)kill(child, SIGKILL);
        (void)waitpid(child, NULL, 0);
        _exit(0);
    }
    assert_int_equal(read(ready[0], &c, 1), 1);
    (void)close(ready[0]);
    (void)close(ready[1]);
    (void)close(end[0]);
    *ret_end = end[1];
    return monitor;
}

static void end_connection(pid_t monitor, int end)
{
    (void)!write(end, "", 1);
    (void)close(end);
    assert_int_equal(waitpid(monitor, NULL, 0), monitor);
}

static void register_session(pid_t monitor)
{
    struct session s = session_of(monitor);
    s.uid = uids[0];
    assert_int_equal(registry_open_session(&r, &s), 0);
}

static enum sight scan(struct strays *s, const struct session_list *known)
{
    return strays_scan(s, &r, known, &logins);
}

static void found_when_it_stays(void **state)
{
    struct strays s = {.items = NULL};
    int end;
    (void)state;
    CHECK("no stray yet", scan(&s, NULL) == SIGHT_IS_NOT && s.count == 0);
    pid_t monitor = start_connection(&end);
    CHECK("found by the first scan", scan(&s, NULL) == SIGHT_IS && s.count == 1);
    CHECK("not sure after one scan", strays_sure(&s, 0) == 0);
    CHECK("sure after two", scan(&s, NULL) == SIGHT_IS && strays_sure(&s, 0) == 1);
    CHECK("not sure for a longer time", strays_sure(&s, 60000) == 0);
    (void)poll(NULL, 0, 100);
    CHECK("sure after 100 ms", scan(&s, NULL) == SIGHT_IS && strays_sure(&s, 100) == 1);
    s.items[0].start_ticks++;
    CHECK("another process with that pid", scan(&s, NULL) == SIGHT_IS && strays_sure(&s, 0) == 0);
    end_connection(monitor, end);
    CHECK("gone", scan(&s, NULL) == SIGHT_IS_NOT && s.count == 0);
    strays_release(&s);
}

static void found_by_group(void **state)
{
    struct strays s = {.items = NULL};
    const uid_t uid = uids[0];
    int end;
    (void)state;
    pid_t monitor = start_connection(&end);
    uids[0]++;
    CHECK("it is another user", scan(&s, NULL) == SIGHT_IS_NOT);
    logins.has_gid = true;
    logins.gid = (gid_t)uid;
    CHECK("found by its group", scan(&s, NULL) == SIGHT_IS && s.count == 1);
    logins.has_gid = false;
    uids[0] = uid;
    end_connection(monitor, end);
    strays_release(&s);
}

static void registered_meanwhile(void **state)
{
    struct strays s = {.items = NULL};
    struct session_list before = {.items = NULL}, after = {.items = NULL};
    int end;
    (void)state;
    pid_t monitor = start_connection(&end);
    CHECK("not registered yet", scan(&s, NULL) == SIGHT_IS);
    assert_int_equal(registry_read(&r, 0, &before), 0);
    register_session(monitor);
    CHECK("registered after the list was read", scan(&s, &before) == SIGHT_IS_NOT && s.count == 0);
    CHECK("registered, without a list", scan(&s, NULL) == SIGHT_IS_NOT);
    assert_int_equal(registry_read(&r, 0, &after), 0);
    registry_remove_own(&r, 17, monitor);
    CHECK("in the list, and removed since", scan(&s, &after) == SIGHT_IS_NOT);
    CHECK("without an entry for one scan", scan(&s, NULL) == SIGHT_IS && strays_sure(&s, 0) == 0);
    session_list_release(&before);
    session_list_release(&after);
    end_connection(monitor, end);
    strays_release(&s);
}

/* Sessions that are registered before their process starts and until it has ended are no strays. */
static void others_come_and_go(void **state)
{
    struct strays s = {.items = NULL};
    int stop[2];
    (void)state;
    assert_int_equal(pipe(stop), 0);
    pid_t crowd = fork();
    assert_true(crowd >= 0);
    if (crowd == 0) {
        struct pollfd p = {.fd = stop[0], .events = POLLIN};
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        while (poll(&p, 1, 0) == 0) {
            pid_t monitor = fork();
            if (monitor == 0) {
                (void)setsid();
                register_session(getpid());
                pid_t child = fork();
                if (child == 0) {
                    become_login();
                    (void)poll(NULL, 0, 4);
                    _exit(0);
                }
                (void)waitpid(child, NULL, 0);
                registry_remove_own(&r, 17, getpid());
                _exit(0);
            }
            (void)waitpid(monitor, NULL, 0);
        }
        _exit(0);
    }
    const int64_t until_ms = clock_monotonic_ms() + 700;
    unsigned scans = 0;
    while (clock_monotonic_ms() < until_ms) {
        CHECK("all could be seen", scan(&s, NULL) != SIGHT_CANNOT_TELL);
        CHECK("no process is without an entry twice", strays_sure(&s, 0) == 0);
        scans++;
    }
    CHECK("several scans", scans > 2);
    (void)!write(stop[1], "", 1);
    assert_int_equal(waitpid(crowd, NULL, 0), crowd);
    (void)close(stop[0]);
    (void)close(stop[1]);
    strays_release(&s);
}

/* The login of a container may have the same uid. */
static void of_a_container(void **state)
{
    struct strays s = {.items = NULL};
    int ready[2];
    char c;
    (void)state;
    assert_int_equal(pipe(ready), 0);
    pid_t outer = fork();
    assert_true(outer >= 0);
    if (outer == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (unshare(CLONE_NEWPID) != 0)
            _exit(1);
        pid_t inner = fork();
        if (inner == 0) {
            become_login(); /* which clears the signal below (prctl(2)) */
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            (void)!write(ready[1], "", 1);
            for (;;)
                (void)pause();
        }
        (void)waitpid(inner, NULL, 0);
        _exit(0);
    }
    assert_int_equal(read(ready[0], &c, 1), 1);
    CHECK("of another namespace", scan(&s, NULL) == SIGHT_IS_NOT && s.count == 0);
    end_child(outer);
    (void)close(ready[0]);
    (void)close(ready[1]);
    strays_release(&s);
}

static void scan_hidden(void *arg)
{
    struct strays s = {.items = NULL};
    (void)arg;
    CHECK("cannot tell", scan(&s, NULL) == SIGHT_CANNOT_TELL);
    strays_release(&s);
}

static void hidden(void **state)
{
    int end;
    (void)state;
    pid_t monitor = start_connection(&end);
    for (int hidepid = 1; hidepid <= 2; hidepid++)
        under_hidepid(hidepid, scan_hidden, NULL);
    end_connection(monitor, end);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(found_when_it_stays), TEST(found_by_group), TEST(registered_meanwhile),
        TEST(others_come_and_go),  TEST(of_a_container), TEST(hidden),
    };
    if (geteuid() != 0) {
        (void)puts("needs root, for processes of another user");
        return 77;
    }
    uids[0] = UID_FIRST + (uid_t)getpid();
    return cmocka_run_group_tests_name("strays", tests, NULL, NULL);
}
