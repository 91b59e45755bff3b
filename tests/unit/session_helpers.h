/* SPDX-License-Identifier: ISC */
/* What the tests of lib/session share: processes to look for, and sessions that name them. */
#ifndef TUNLEASE_TESTS_UNIT_SESSION_HELPERS_H
#define TUNLEASE_TESTS_UNIT_SESSION_HELPERS_H

#include "lib/base/clock.h"
#include "lib/session/process.h"
#include "lib/session/registry.h"

#include "tests/unit/helpers.h"

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>

enum { NOBODY = 65534, WAIT_MS = 5000 };

/* Polls, so that no test sleeps longer than it must. */
#define WAIT_UNTIL(what, condition)                                                                \
    do {                                                                                           \
        int64_t until_ms = clock_monotonic_ms() + WAIT_MS;                                         \
        while (!(condition) && clock_monotonic_ms() < until_ms)                                    \
            (void)poll(NULL, 0, 1);                                                                \
        CHECK(what, condition);                                                                    \
    } while (0)

/* Whether it runs, stopped or not; a zombie does not. */
static inline bool is_running(pid_t pid)
{
    struct process p;
    return process_read(pid, &p) && p.state != 'Z';
}

static inline char state_of(pid_t pid)
{
    struct process p;
    return process_read(pid, &p) ? p.state : '-';
}

static inline uint64_t start_of(pid_t pid)
{
    struct process p;
    assert_true(process_read(pid, &p));
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

#endif
