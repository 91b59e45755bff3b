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
    assert_int_equal(process_read(getpid(), &p), SIGHT_IS);
    assert_int_equal(p.pid, getpid());
    assert_int_equal(p.parent, getppid());
    assert_int_equal(p.session, getsid(0));
    assert_int_equal(p.uid, getuid());
    assert_int_equal(p.state, 'R');
    assert_int_equal(process_is(getpid(), p.start_ticks), SIGHT_IS);
    assert_int_equal(process_is(getpid(), p.start_ticks + 1), SIGHT_IS_NOT);
}

static void nobody_there(void **state)
{
    static const pid_t pids[] = {0, -1, INT32_MIN, INT32_MAX, 1 << 22};
    struct process p;
    (void)state;
    for (size_t i = 0; i < COUNT(pids); i++) {
        assert_int_equal(process_read(pids[i], &p), SIGHT_IS_NOT);
        assert_int_equal(process_is(pids[i], 0), SIGHT_IS_NOT);
        assert_int_equal(process_group_answers(pids[i]), SIGHT_IS_NOT);
    }
}

/* A program chooses its name, which may look like the rest of the line. */
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
        CHECK(names[i], process_read(child, &p) == SIGHT_IS);
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
    assert_int_equal(process_is(child, start), SIGHT_IS);
    assert_int_equal(kill(child, SIGKILL), 0);
    WAIT_UNTIL("a zombie", state_of(child) == 'Z');
    assert_int_equal(process_read(child, &p), SIGHT_IS);
    assert_int_equal(process_is(child, start), SIGHT_IS_NOT);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(process_read(child, &p), SIGHT_IS_NOT);
}

static void real_uid(void **state)
{
    struct process p;
    (void)state;
    if (geteuid() != 0)
        skip();
    pid_t child = fork();
    if (child == 0) {
        /* Like a set-user-id program: it belongs to the user who started it. */
        (void)!setresuid(NOBODY, 0, 0);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)raise(SIGSTOP);
        _exit(0);
    }
    assert_int_equal(waitpid(child, NULL, WUNTRACED), child);
    assert_int_equal(process_read(child, &p), SIGHT_IS);
    assert_int_equal(p.uid, NOBODY);
    end_child(child);
}

static size_t children_of(pid_t parent, uid_t uid, struct process out[], size_t max)
{
    size_t n = 99;
    enum sight sight = process_children(parent, uid, out, max, &n);
    assert_int_equal(sight, n > 0 ? SIGHT_IS : SIGHT_IS_NOT);
    return n;
}

static void children(void **state)
{
    struct process out[4];
    pid_t pids[3];
    (void)state;
    assert_int_equal(children_of(getpid(), getuid(), out, COUNT(out)), 0);
    for (size_t i = 0; i < COUNT(pids); i++)
        pids[i] = idle_child();
    assert_int_equal(children_of(getpid(), getuid(), out, COUNT(out)), 3);
    for (size_t i = 0; i < COUNT(pids); i++)
        assert_true(out[i].pid == pids[0] || out[i].pid == pids[1] || out[i].pid == pids[2]);
    out[2].pid = 0;
    assert_int_equal(children_of(getpid(), getuid(), out, 2), 3); /* more than it stored */
    assert_int_equal(out[2].pid, 0);
    assert_int_equal(children_of(getpid(), getuid() + 1, out, COUNT(out)), 0);
    for (size_t i = 0; i < COUNT(pids); i++)
        end_child(pids[i]);
    assert_int_equal(children_of(INT32_MAX, getuid(), out, COUNT(out)), 0);
}

static bool stop_at(void *ctx, const struct process *p)
{
    return p->pid == *(pid_t *)ctx;
}

static void each(void **state)
{
    pid_t wanted = getpid(), nobody = INT32_MAX;
    (void)state;
    assert_int_equal(process_each(stop_at, &wanted), SIGHT_IS);
    assert_int_equal(process_each(stop_at, &nobody), SIGHT_IS_NOT);
}

/* ---- what cannot be seen ---- */

static void look_unseen(void *arg)
{
    const pid_t *pids = arg; /* one that is alive, one that is dead, one that never was */
    struct process p;
    size_t n;
    pid_t nobody = INT32_MAX;
    assert_int_equal(process_answers(pids[0]), SIGHT_IS);
    assert_int_equal(process_read(pids[0], &p), SIGHT_CANNOT_TELL);
    assert_int_equal(process_is(pids[0], 5), SIGHT_CANNOT_TELL);
    assert_int_equal(process_children(pids[0], getuid(), &p, 1, &n), SIGHT_CANNOT_TELL);
    assert_int_equal(process_each(stop_at, &nobody), SIGHT_CANNOT_TELL);
    for (size_t i = 1; i <= 2; i++) {
        assert_int_equal(process_answers(pids[i]), SIGHT_IS_NOT);
        assert_int_equal(process_read(pids[i], &p), SIGHT_IS_NOT);
        assert_int_equal(process_is(pids[i], 5), SIGHT_IS_NOT);
        assert_int_equal(process_children(pids[i], getuid(), &p, 1, &n), SIGHT_IS_NOT);
        assert_int_equal(process_group_answers(pids[i]), SIGHT_IS_NOT);
    }
}

static void unseen(void **state)
{
    pid_t pids[] = {idle_child(), idle_child(), INT32_MAX};
    (void)state;
    end_child(pids[1]);
    without_room(look_unseen, pids);
    if (geteuid() != 0)
        skip();
    for (int hidepid = 1; hidepid <= 4; hidepid *= 2)
        under_hidepid(hidepid, look_unseen, pids);
    end_child(pids[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(itself), cmocka_unit_test(nobody_there), cmocka_unit_test(hostile_name),
        cmocka_unit_test(zombie), cmocka_unit_test(real_uid),     cmocka_unit_test(children),
        cmocka_unit_test(each),   cmocka_unit_test(unseen),
    };
    return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
