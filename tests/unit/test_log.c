/* SPDX-License-Identifier: ISC */
/* A log that nobody reads: stderr is a full pipe, for a daemon and for a program that ends. Each
 * runs in a child, because a process has one log. */
#include "lib/base/log.h"

#include "tests/unit/helpers.h"

#include "lib/base/clock.h"

#include <poll.h>
#include <signal.h>
#include <stdbool.h>

enum { LINES = 5000, MOST_MS = 10000 };

static void wait_for_room(void)
{
    struct pollfd room = {.fd = STDERR_FILENO, .events = POLLOUT};
    (void)poll(&room, 1, -1);
}

static void nothing(void *arg)
{
    (void)arg;
}

/* What the reader got: our lines, and how many were reported as lost. */
struct seen {
    int lines, errors;
    long said_lost;
    bool torn;
};

static void read_all(int fd, struct seen *seen)
{
    char line[2048];
    FILE *f = fdopen(fd, "r");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f) != NULL) {
        long n;
        char end;
        if (sscanf(line, "test: %ld lines of this log were lost%c", &n, &end) == 2)
            seen->said_lost += n;
        else if (strncmp(line, "test: error", 11) == 0)
            seen->errors++;
        else if (sscanf(line, "test: line %ld of many%c", &n, &end) == 2 && end == '\n')
            seen->lines++;
        else
            seen->torn = true;
    }
    (void)fclose(f);
}

/* The child: stderr is the pipe. It writes to `done` when it is finished; only then the reader
 * starts. */
static void write_many(int done, bool daemon)
{
    log_init("test", true);
    if (daemon)
        log_never_wait(nothing, NULL);
    const int64_t since_ms = clock_monotonic_ms();
    for (int i = 0; i < LINES; i++)
        log_info("line %d of many", i);
    if (daemon)
        log_error("error");
    if (clock_monotonic_ms() - since_ms > slow_ms(MOST_MS))
        _exit(2);
    (void)close(done);
    while (daemon && !log_flush())
        (void)poll(NULL, 0, 1);
    if (!daemon)
        wait_for_room();
    if (!daemon)
        log_info("line %d of many", LINES);
    _exit(log_lost() > 0 ? 0 : 3);
}

static void check(bool daemon, struct seen *ret)
{
    int lines[2], done[2], status;
    char nobody;
    assert_int_equal(pipe2(lines, O_CLOEXEC), 0);
    assert_int_equal(pipe2(done, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)alarm((unsigned)slow_ms(30)); /* ends a child that waits for its reader */
        (void)close(lines[0]);
        (void)close(done[0]);
        (void)dup2(lines[1], STDERR_FILENO);
        (void)close(lines[1]);
        write_many(done[1], daemon);
    }
    (void)close(lines[1]);
    (void)close(done[1]);
    assert_int_equal(read(done[0], &nobody, 1), 0);
    (void)close(done[0]);
    read_all(lines[0], ret);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_false(ret->torn);
}

static void test_daemon(void **state)
{
    struct seen seen = {.lines = 0};
    (void)state;
    check(true, &seen);
    assert_true(seen.said_lost > 0);
    assert_int_equal(seen.lines + seen.said_lost, LINES);
    assert_int_equal(seen.errors, 1); /* errors have room reserved */
}

static void test_program(void **state)
{
    struct seen seen = {.lines = 0};
    (void)state;
    check(false, &seen);
    assert_true(seen.said_lost > 0);
    assert_int_equal(seen.lines + seen.said_lost, LINES + 1);
}

/* The flags of the pipe or terminal that the shell shares are not changed; and text from outside
 * can neither control a terminal nor start a line of its own. */
static void test_shared(void **state)
{
    char got[256] = "";
    int lines[2], status;
    (void)state;
    assert_int_equal(pipe2(lines, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)dup2(lines[1], STDERR_FILENO);
        log_init("test", true);
        log_info("%s", "Grüße\n\xc2\x9b"
                       "31m\xe2\x80\xae\xff");
        _exit((fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK) != 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(fcntl(lines[1], F_GETFL) & O_NONBLOCK, 0);
    assert_true(read(lines[0], got, sizeof(got) - 1) > 0);
    assert_string_equal(got, "test: Grüße\\x0a\\xc2\\x9b31m\\xe2\\x80\\xae\\xff\n");
    (void)close(lines[0]);
    (void)close(lines[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_daemon),
                                       cmocka_unit_test(test_program),
                                       cmocka_unit_test(test_shared)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
