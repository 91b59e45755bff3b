/* SPDX-License-Identifier: ISC */
/* Processes as /proc shows them. */
#include "lib/session/process.h"

#include "tests/unit/helpers.h"
#include "tests/unit/session_helpers.h"

#include <sys/wait.h>

static void itself(void **state)
{
    struct process p;
    (void)state;
    assert_true(process_read(getpid(), &p));
    assert_int_equal(p.pid, getpid());
    assert_int_equal(p.parent, getppid());
    assert_int_equal(p.session, getsid(0));
    assert_int_equal(p.uid, getuid());
    assert_int_equal(p.state, 'R');
    assert_true(process_is(getpid(), p.start_ticks));
    assert_false(process_is(getpid(), p.start_ticks + 1));
}

static void nobody_there(void **state)
{
    static const pid_t pids[] = {0, -1, INT32_MIN, INT32_MAX, 1 << 22};
    struct process p;
    (void)state;
    for (size_t i = 0; i < COUNT(pids); i++) {
        assert_false(process_read(pids[i], &p));
        assert_false(process_is(pids[i], 0));
    }
}

/* Its name is the program's to choose, up to what looks like the rest of the line. */
static void hostile_name(void **state)
{
    static const char *const names[] = {") R 1 1 1 0 -1", "a) S 1 (b", "((((",
                                        "))))",           "x\ny z",    ""};
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        pid_t child = fork();
        if (child == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            (void)prctl(PR_SET_NAME, names[i]);
            (void)raise(SIGSTOP);
            _exit(0);
        }
        assert_int_equal(waitpid(child, NULL, WUNTRACED), child);
        struct process p;
        CHECK(names[i], process_read(child, &p));
        CHECK(names[i], p.parent == getpid() && p.session == getsid(0) && p.state == 'T');
        end_child(child);
    }
}

static void zombie(void **state)
{
    pid_t child = idle_child();
    uint64_t start = start_of(child);
    struct process p;
    (void)state;
    assert_true(process_is(child, start));
    assert_int_equal(kill(child, SIGKILL), 0);
    WAIT_UNTIL("a zombie", state_of(child) == 'Z');
    assert_true(process_read(child, &p));
    assert_false(process_is(child, start));
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_false(process_read(child, &p));
}

static void real_uid(void **state)
{
    struct process p;
    (void)state;
    if (geteuid() != 0)
        skip();
    pid_t child = fork();
    if (child == 0) {
        /* As a set-user-id program looks: the one who started it is whom it belongs to. */
        (void)!setresuid(NOBODY, 0, 0);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)raise(SIGSTOP);
        _exit(0);
    }
    assert_int_equal(waitpid(child, NULL, WUNTRACED), child);
    assert_true(process_read(child, &p));
    assert_int_equal(p.uid, NOBODY);
    end_child(child);
}

static void children(void **state)
{
    struct process out[4];
    pid_t pids[3];
    (void)state;
    assert_int_equal(process_children(getpid(), getuid(), out, COUNT(out)), 0);
    for (size_t i = 0; i < COUNT(pids); i++)
        pids[i] = idle_child();
    assert_int_equal(process_children(getpid(), getuid(), out, COUNT(out)), 3);
    for (size_t i = 0; i < COUNT(pids); i++)
        assert_true(out[i].pid == pids[0] || out[i].pid == pids[1] || out[i].pid == pids[2]);
    assert_int_equal(process_children(getpid(), getuid(), out, 2), 2);
    assert_int_equal(process_children(getpid(), getuid() + 1, out, COUNT(out)), 0);
    for (size_t i = 0; i < COUNT(pids); i++)
        end_child(pids[i]);
    assert_int_equal(process_children(INT32_MAX, getuid(), out, COUNT(out)), 0);
}

static int stop_at(void *ctx, const struct process *p)
{
    return p->pid == *(pid_t *)ctx ? 7 : 0;
}

static void each(void **state)
{
    pid_t wanted = getpid(), nobody = INT32_MAX;
    (void)state;
    assert_int_equal(process_each(stop_at, &wanted), 7);
    assert_int_equal(process_each(stop_at, &nobody), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(itself), cmocka_unit_test(nobody_there), cmocka_unit_test(hostile_name),
        cmocka_unit_test(zombie), cmocka_unit_test(real_uid),     cmocka_unit_test(children),
        cmocka_unit_test(each),
    };
    return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
