/* SPDX-License-Identifier: ISC */
/* What the tests of lib/session share: processes to find, and sessions that name them. */
#ifndef TUNLEASE_TESTS_UNIT_SESSION_HELPERS_H
#define TUNLEASE_TESTS_UNIT_SESSION_HELPERS_H

#include "lib/base/clock.h"
#include "lib/session/process.h"
#include "lib/session/session.h"

#include "tests/unit/helpers.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { NOBODY = 65534, WAIT_MS = 5000 };

/* Polls, so that no test waits longer than it must. */
#define WAIT_UNTIL(what, condition)                                                                \
    do {                                                                                           \
        int64_t until_ms = clock_monotonic_ms() + slow_ms(WAIT_MS);                                \
        while (!(condition) && clock_monotonic_ms() < until_ms)                                    \
            (void)poll(NULL, 0, 1);                                                                \
        CHECK(what, condition);                                                                    \
    } while (0)

/* True for a stopped process, too; false for a zombie. */
static inline bool is_running(pid_t pid)
{
    struct process p;
    return process_read(pid, &p) == SIGHT_IS && !process_has_ended(&p);
}

static inline char state_of(pid_t pid)
{
    struct process p;
    return process_read(pid, &p) == SIGHT_IS ? p.state : '-';
}

static inline uint64_t start_of(pid_t pid)
{
    struct process p;
    assert_int_equal(process_read(pid, &p), SIGHT_IS);
    return p.start_ticks;
}

/* A child that does nothing until it is killed, and never outlives the test. */
static inline pid_t idle_child(void)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            (void)pause();
    }
    return pid;
}

static inline void end_child(pid_t pid)
{
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Waits until the child has stopped: a SIGTERM that came earlier would end it. */
static inline void stop_child(pid_t pid)
{
    assert_int_equal(kill(pid, SIGSTOP), 0);
    WAIT_UNTIL("stopped", state_of(pid) == 'T');
}

/* An open session of lease 17 by that process. */
static inline struct session session_of(pid_t pid)
{
    return (struct session){.pid = pid,
                            .start_ticks = start_of(pid),
                            .open = true,
                            .lease_id = 17,
                            .lease = "alice",
                            .login = "pfwd",
                            .uid = NOBODY,
                            .fingerprint = "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
                            .source = "192.0.2.7",
                            .since_s = 1795802400};
}

/* ---- when not all can be seen ---- */

/* Runs prepare and look in a fork of the test. What fails there fails the test. */
static inline void apart(void (*prepare)(int how), int how, void (*look)(void *arg), void *arg)
{
    int status = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)setenv("CMOCKA_TEST_ABORT", "1", 1); /* no longjmp into the parent's frames */
        prepare(how);
        look(arg);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("what was looked at apart (%d) failed: status %#x", how, (unsigned)status);
}

static inline void hide_proc(int hidepid)
{
    char options[32];
    (void)snprintf(options, sizeof(options), "hidepid=%d", hidepid);
    assert_int_equal(unshare(CLONE_NEWNS), 0);
    assert_int_equal(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    assert_int_equal(mount("proc", "/proc", "proc", 0, options), 0);
    assert_int_equal(setgroups(0, NULL), 0);
    assert_int_equal(setresgid(NOBODY, NOBODY, NOBODY), 0);
    assert_int_equal(setresuid(NOBODY, NOBODY, NOBODY), 0);
}

/* Runs look as a user without rights, on a /proc that shows it only its own processes. Needs
 * root. */
static inline void under_hidepid(int hidepid, void (*look)(void *arg), void *arg)
{
    apart(hide_proc, hidepid, look, arg);
}

/* Limits the descriptors to `left` more than are open. */
static inline void leave_room(int left)
{
    struct rlimit limit;
    int opened[16], last = -1;
    assert_true(left <= 16);
    for (int i = 0; i < left; i++)
        last = opened[i] = fcntl(0, F_DUPFD, 0);
    for (int i = 0; i < left; i++)
        (void)close(opened[i]);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = (rlim_t)(last + 1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static inline void without_room(void (*look)(void *arg), void *arg)
{
    apart(leave_room, 0, look, arg);
}

#endif
