/* SPDX-License-Identifier: ISC */
/*
 * The kill ladder on real processes: a monitor that leads a session and passes SIGTERM on, and its
 * child, which runs as the login, as in sshd (docs/sshd-facts.md 2, 3).
 */
#include "lib/session/ladder.h"

#include "tests/unit/helpers.h"
#include "tests/unit/session_helpers.h"

#include <dirent.h>
#include <errno.h>

enum { DEADLINE_MS = 1000 };

static volatile sig_atomic_t child_of_monitor;

static void pass_on(int sig)
{
    (void)kill(child_of_monitor, sig);
}

struct pair {
    pid_t monitor, child;
    struct session session;
};

/* In the monitor. It ends when its child has ended, as that of sshd does. */
static void run_monitor(int report_fd, bool with_child)
{
    const struct sigaction passes = {.sa_handler = pass_on};
    pid_t child = 0;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setsid();
    if (with_child) {
        child = fork();
        if (child == 0) {
            if (geteuid() == 0)
                (void)!setresuid(NOBODY, NOBODY, NOBODY);
            child = getpid();
            (void)!write(report_fd, &child, sizeof(child));
            (void)close(report_fd);
            (void)alarm((unsigned)slow_ms(20)); /* if the test fails */
            for (;;)
                (void)pause();
        }
        child_of_monitor = child;
        (void)sigaction(SIGTERM, &passes, NULL);
    }
    (void)!write(report_fd, &child, 0);
    (void)close(report_fd);
    if (with_child)
        while (waitpid(child, NULL, 0) != child)
            ;
    else
        (void)pause();
    _exit(0);
}

static struct pair start_pair(bool with_child)
{
    struct pair p = {.monitor = 0};
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    p.monitor = fork();
    assert_true(p.monitor >= 0);
    if (p.monitor == 0)
        run_monitor(fds[1], with_child);
    (void)close(fds[1]);
    /* The pid of the child, then end of file when both have closed the pipe: then all is set up. */
    ssize_t n = read(fds[0], &p.child, sizeof(p.child));
    assert_int_equal(n, with_child ? (ssize_t)sizeof(p.child) : 0);
    (void)!read(fds[0], &(char){0}, 1);
    (void)close(fds[0]);
    p.session = session_of(p.monitor);
    p.session.uid = geteuid() == 0 ? NOBODY : getuid();
    return p;
}

static void end_pair(const struct pair *p)
{
    if (p->child != 0)
        (void)kill(p->child, SIGKILL);
    (void)kill(p->monitor, SIGKILL);
    while (waitpid(-1, NULL, 0) > 0) /* the test is its orphans' parent */
        ;
}

static size_t end_one(const struct session *s, int64_t for_ms, bool *gone)
{
    struct session copy = *s;
    const struct session_list list = {.items = &copy, .count = 1};
    enum ladder_state state = LADDER_FAILED;
    size_t up = ladder_end_all(&list, clock_monotonic_ms() + for_ms, &state);
    *gone = state == LADDER_GONE;
    return up;
}

static size_t descriptors(void)
{
    size_t n = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (readdir(dir) != NULL)
        n++;
    (void)closedir(dir);
    return n;
}

static void ends(const struct pair *p, const char *what)
{
    bool gone = false;
    CHECK(what, end_one(&p->session, slow_ms(DEADLINE_MS), &gone) == 0);
    CHECK(what, gone && (p->child == 0 || !is_running(p->child)));
    WAIT_UNTIL(what, !is_running(p->monitor));
    end_pair(p);
}

static void obedient(void **state)
{
    struct pair p = start_pair(true);
    int64_t before_ms = clock_monotonic_ms();
    (void)state;
    ends(&p, "a pair");
    assert_true(clock_monotonic_ms() - before_ms < slow_ms(LADDER_PATIENCE_MS));
}

static void stopped_child(void **state)
{
    struct pair p = start_pair(true);
    (void)state;
    stop_child(p.child);
    ends(&p, "a pair whose child is stopped");
}

static void stopped_monitor(void **state)
{
    struct pair p = start_pair(true);
    (void)state;
    stop_child(p.monitor);
    WAIT_UNTIL("stopped", state_of(p.monitor) == 'T');
    ends(&p, "a pair whose monitor is stopped");
}

static void both_stopped(void **state)
{
    struct pair p = start_pair(true);
    (void)state;
    stop_child(p.child);
    stop_child(p.monitor);
    WAIT_UNTIL("stopped", state_of(p.monitor) == 'T' && state_of(p.child) == 'T');
    ends(&p, "a pair of which both are stopped");
}

/* SIGTERM ends a monitor that has no child yet. */
static void no_child_yet(void **state)
{
    struct pair p = start_pair(false);
    (void)state;
    ends(&p, "a monitor without a child");
}

/* The child is ended if its monitor is a zombie, which has no sockets, and if the monitor was
 * reaped: then only the session id leads to the child. */
static void orphan(void **state)
{
    (void)state;
    for (int reaped = 0; reaped <= 1; reaped++) {
        struct pair p = start_pair(true);
        assert_int_equal(kill(p.monitor, SIGKILL), 0);
        WAIT_UNTIL("the monitor is dead", !is_running(p.monitor));
        if (reaped)
            assert_int_equal(waitpid(p.monitor, NULL, 0), p.monitor);
        assert_true(is_running(p.child));
        ends(&p, reaped ? "an orphan" : "the child of a zombie");
    }
}

/* Somebody kills the monitor after the ladder has signalled it: its child must not be left. */
static void killed_meanwhile(void **state)
{
    struct pair p = start_pair(true);
    struct ladder l;
    (void)state;
    stop_child(p.child);
    assert_int_equal(ladder_start(&l, &p.session, 0), LADDER_IN_PROGRESS);
    assert_int_equal(kill(p.monitor, SIGKILL), 0);
    WAIT_UNTIL("the monitor is dead", !is_running(p.monitor));
    /* Nobody is left to pass SIGTERM on, so the ladder does not wait. */
    assert_int_equal(ladder_step(&l, LADDER_PATIENCE_MS - 1), LADDER_IN_PROGRESS);
    WAIT_UNTIL("gone", ladder_step(&l, LADDER_PATIENCE_MS - 1) == LADDER_GONE);
    assert_false(is_running(p.child));
    end_pair(&p);
}

/* Who ends a thousand opens all of them before the first is signalled. */
static void opened_first(void **state)
{
    struct pair p = start_pair(true);
    struct ladder l;
    (void)state;
    assert_int_equal(ladder_open(&l, &p.session, 0), LADDER_IN_PROGRESS);
    (void)poll(NULL, 0, 20); /* a signal would have arrived */
    assert_true(is_running(p.monitor) && is_running(p.child));
    /* The patience begins with the first signal. */
    assert_int_equal(ladder_step(&l, LADDER_PATIENCE_MS), LADDER_IN_PROGRESS);
    assert_false(l.killed);
    WAIT_UNTIL("gone", ladder_step(&l, LADDER_PATIENCE_MS) == LADDER_GONE);
    assert_false(l.killed || is_running(p.child));
    end_pair(&p);
}

/* ---- who is never signalled ---- */

static void left_alone(const struct pair *p, const struct session *s, const char *what)
{
    bool gone = false;
    CHECK(what, end_one(s, 50, &gone) == 0 && gone);
    (void)poll(NULL, 0, 20); /* a signal would have arrived */
    CHECK(what, is_running(p->monitor) && is_running(p->child));
}

static void forged(void **state)
{
    struct pair p = start_pair(true);
    struct session s = p.session;
    (void)state;
    s.start_ticks = p.session.start_ticks + 1;
    left_alone(&p, &s, "a later start: this monitor's number, another process");
    s.start_ticks = p.session.start_ticks - 1;
    left_alone(&p, &s, "an earlier start");
    s = p.session;
    s.start_ticks = 0;
    left_alone(&p, &s, "start 0");
    s.pid = INT32_MAX;
    left_alone(&p, &s, "a number that no process has");
    end_pair(&p);
}

/* A process in the session of the dead monitor that runs as another user does not belong to this
 * login. */
static void orphan_of_another(void **state)
{
    struct pair p = start_pair(true);
    struct session s = p.session;
    bool gone = false;
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(kill(p.monitor, SIGKILL), 0);
    assert_int_equal(waitpid(p.monitor, NULL, 0), p.monitor);
    s.uid = NOBODY - 1;
    assert_int_equal(end_one(&s, 50, &gone), 0);
    assert_true(is_running(p.child));
    s = p.session;
    s.start_ticks += 1000000; /* it was there before the session began */
    assert_int_equal(end_one(&s, 50, &gone), 0);
    assert_true(is_running(p.child));
    end_pair(&p);
}

/* A monitor that has a child gets SIGTERM and never SIGKILL: its child would live on. */
static void deaf_monitor(void **state)
{
    struct pair p = start_pair(true);
    struct session s = p.session;
    bool gone = true;
    (void)state;
    s.uid = NOBODY - 1; /* so its child is not found */
    int64_t before_ms = clock_monotonic_ms();
    stop_child(p.child);
    assert_int_equal(end_one(&s, LADDER_PATIENCE_MS + 100, &gone), 1);
    assert_false(gone);
    assert_true(clock_monotonic_ms() - before_ms < slow_ms(LADDER_PATIENCE_MS + 300));
    assert_true(is_running(p.monitor) && is_running(p.child));
    end_pair(&p);
}

/* ---- many at a time ---- */

static void side_by_side(void **state)
{
    enum { PAIRS = 20 };
    struct pair pairs[PAIRS];
    struct session items[PAIRS];
    struct session_list list = {.items = items, .count = PAIRS};
    enum ladder_state states[PAIRS];
    (void)state;
    for (size_t i = 0; i < PAIRS; i++) {
        pairs[i] = start_pair(true);
        items[i] = pairs[i].session;
        stop_child(pairs[i].child); /* each takes the whole patience */
    }
    size_t before = descriptors();
    int64_t before_ms = clock_monotonic_ms();
    assert_int_equal(ladder_end_all(&list, before_ms + slow_ms(DEADLINE_MS), states), 0);
    /* One after the other would take twice as long. */
    assert_true(clock_monotonic_ms() - before_ms < slow_ms(PAIRS / 2 * LADDER_PATIENCE_MS));
    assert_int_equal(descriptors(), before);
    for (size_t i = 0; i < PAIRS; i++)
        assert_true(states[i] == LADDER_GONE && !is_running(pairs[i].child));
    for (size_t i = 0; i < PAIRS; i++)
        end_pair(&pairs[i]);
    list.count = 0;
    assert_int_equal(ladder_end_all(&list, 0, states), 0);
}

/* ---- what cannot be opened is not gone ---- */

enum { FEW_PAIRS = 6 };

static void end_with_few(void *arg)
{
    struct session *items = arg;
    const struct session_list list = {.items = items, .count = FEW_PAIRS};
    enum ladder_state states[FEW_PAIRS];
    assert_int_equal(ladder_end_all(&list, clock_monotonic_ms() + slow_ms(WAIT_MS), states), 0);
    for (size_t i = 0; i < FEW_PAIRS; i++)
        assert_int_equal(states[i], LADDER_GONE);
}

static void end_without_room(void *arg)
{
    struct session *items = arg;
    const struct session_list list = {.items = items, .count = FEW_PAIRS};
    enum ladder_state states[FEW_PAIRS];
    struct ladder l;
    assert_int_equal(ladder_start(&l, &items[0], 0), LADDER_NO_ROOM);
    assert_int_equal(l.why, EMFILE);
    assert_int_equal(ladder_end_all(&list, clock_monotonic_ms() + 50, states), FEW_PAIRS);
    for (size_t i = 0; i < FEW_PAIRS; i++)
        assert_int_equal(states[i], LADDER_NO_ROOM);
}

static void end_unseen(void *arg)
{
    struct session *items = arg;
    const struct session_list list = {.items = items, .count = FEW_PAIRS};
    enum ladder_state states[FEW_PAIRS];
    assert_int_equal(ladder_end_all(&list, clock_monotonic_ms() + 50, states), FEW_PAIRS);
    for (size_t i = 0; i < FEW_PAIRS; i++)
        assert_int_equal(states[i], LADDER_FAILED);
}

static void without_sight(void **state)
{
    struct pair pairs[FEW_PAIRS];
    struct session items[FEW_PAIRS];
    enum ladder_state ended;
    struct session_list list = {.items = items, .count = 1};
    (void)state;
    for (size_t i = 0; i < FEW_PAIRS; i++) {
        pairs[i] = start_pair(true);
        items[i] = pairs[i].session;
    }
    for (int room = 0; room <= 1; room++) { /* 1: a pidfd for the monitor, none for its child */
        apart(leave_room, room, end_without_room, items);
        for (size_t i = 0; i < FEW_PAIRS; i++)
            assert_true(is_running(pairs[i].monitor) && is_running(pairs[i].child));
    }
    for (int hidepid = 1; geteuid() == 0 && hidepid <= 4; hidepid *= 2)
        under_hidepid(hidepid, end_unseen, items);
    items[0].sight = SESSION_UNSEEN;
    items[0].unseen_why = EXDEV;
    assert_int_equal(ladder_end_all(&list, clock_monotonic_ms() + 50, &ended), 1);
    assert_int_equal(ended, LADDER_FAILED);
    for (size_t i = 0; i < FEW_PAIRS; i++)
        assert_true(is_running(pairs[i].monitor) && is_running(pairs[i].child));
    items[0].sight = SESSION_LIVE;
    /* With room for two at a time, all are ended, one after the other. */
    apart(leave_room, 5, end_with_few, items);
    for (size_t i = 0; i < FEW_PAIRS; i++)
        assert_false(is_running(pairs[i].child));
    for (size_t i = 0; i < FEW_PAIRS; i++)
        end_pair(&pairs[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(obedient),         cmocka_unit_test(stopped_child),
        cmocka_unit_test(stopped_monitor),  cmocka_unit_test(both_stopped),
        cmocka_unit_test(no_child_yet),     cmocka_unit_test(orphan),
        cmocka_unit_test(killed_meanwhile), cmocka_unit_test(opened_first),
        cmocka_unit_test(forged),           cmocka_unit_test(orphan_of_another),
        cmocka_unit_test(deaf_monitor),     cmocka_unit_test(side_by_side),
        cmocka_unit_test(without_sight),
    };
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1); /* orphans come here, and not to the host's init */
    return cmocka_run_group_tests_name("ladder", tests, NULL, NULL);
}
