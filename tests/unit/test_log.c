/* SPDX-License-Identifier: ISC */
/* A log that nobody reads: stderr is a full pipe, for a daemon and for a program that ends. Each
 * runs in a child, because a process has one log. And systemd's journal, which takes fields. */
#include "lib/base/log.h"

#include "tests/unit/helpers.h"

#include "lib/base/clock.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>

enum { LINES = 5000, MOST_MS = 10000, JOURNAL_LINES = 3000, NO_NAMESPACE = 9 };

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

/* ---- the journal ---- */

static const struct log_event event = {"0123456789abcdef0123456789abcdef", LOG_WARNING};

/* A journal of our own at its path, in a mount namespace of the child. Returns its socket. */
static int own_journal(void)
{
    const struct sockaddr_un at = {.sun_family = AF_UNIX,
                                   .sun_path = "/run/systemd/journal/socket"};
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("run", "/run", "tmpfs", 0, NULL) != 0)
        _exit(NO_NAMESPACE);
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    if (mkdir("/run/systemd", 0755) != 0 || mkdir("/run/systemd/journal", 0755) != 0 ||
        bind(fd, (const struct sockaddr *)&at, sizeof(at)) != 0)
        _exit(2);
    return fd;
}

/* What systemd says to a service whose stderr is its journal: sd-daemon(3). */
static void pretend_journal_stream(void)
{
    char text[64];
    struct stat st;
    assert_int_equal(fstat(STDERR_FILENO, &st), 0);
    (void)snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long)st.st_dev,
                   (unsigned long long)st.st_ino);
    (void)setenv("JOURNAL_STREAM", text, 1);
}

static void expect_datagram(int fd, const char *want)
{
    char got[8192] = "";
    if (recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT) < 0)
        (void)strcpy(got, "none");
    if (strcmp(got, want) != 0) {
        (void)dprintf(STDOUT_FILENO, "got:  %s\nwant: %s\n", got, want);
        _exit(3);
    }
}

/* The child. Its stderr is a pipe that nobody reads before it ends, and which has room. */
static void write_to_journal(bool is_stream)
{
    char long_text[6000];
    int fd = own_journal();
    if (is_stream)
        pretend_journal_stream();
    log_init("test", true);
    if (is_stream)
        log_never_wait(nothing, NULL); /* a daemon */
    log_event(&event,
              LOG_FIELDS({"LEASE_NAME", "db1"}, {"LOGIN", ""}, {"REASON", "a\nMESSAGE_ID=1"}),
              "line %d\nPRIORITY=0", 1);
    expect_datagram(fd, is_stream ? "MESSAGE_ID=0123456789abcdef0123456789abcdef\nPRIORITY=4\n"
                                    "SYSLOG_FACILITY=10\nSYSLOG_IDENTIFIER=test\nLEASE_NAME=db1\n"
                                    "REASON=a\\x0aMESSAGE_ID=1\nMESSAGE=line 1\\x0aPRIORITY=0\n"
                                  : "none");
    /* What is too long is cut, and still ends as a field must. */
    memset(long_text, '\n', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    log_event(&event, LOG_FIELDS({"REASON", long_text}), "%s", "text");
    char got[8192];
    ssize_t len = recv(fd, got, sizeof(got), MSG_DONTWAIT);
    if (is_stream && (len < 2048 || len > 4096 || got[len - 1] != '\n'))
        _exit(4);
    /* A journal that does not read: nothing waits, and the lines go the usual way. */
    const int64_t since_ms = clock_monotonic_ms();
    for (int i = 0; i < JOURNAL_LINES && is_stream; i++)
        log_event(&event, NULL, "l");
    if (clock_monotonic_ms() - since_ms > slow_ms(MOST_MS))
        _exit(5);
    int taken = 0;
    while (recv(fd, got, sizeof(got), MSG_DONTWAIT) > 0)
        taken++;
    (void)dprintf(STDERR_FILENO, "%d in the journal\n", taken);
    _exit(0);
}

static void check_journal(bool is_stream, const char *first_line, int event_lines)
{
    int lines[2], status;
    assert_int_equal(pipe2(lines, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)alarm((unsigned)slow_ms(30));
        (void)dup2(lines[1], STDERR_FILENO);
        write_to_journal(is_stream);
    }
    (void)close(lines[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == NO_NAMESPACE)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
    char line[8192];
    int seen = 0, taken = -1;
    FILE *f = fdopen(lines[0], "r");
    for (int i = 0; fgets(line, sizeof(line), f) != NULL; i++) {
        if (i == 0)
            assert_string_equal(line, first_line);
        if (strcmp(line, "<4>l\n") == 0)
            seen++;
        (void)sscanf(line, "%d in the journal", &taken);
    }
    (void)fclose(f);
    assert_int_equal(seen + taken, event_lines);
    assert_true(event_lines == 0 || (seen > 0 && taken > 0));
}

/* A program that ends: journald has to find it in /proc after it has read the line. */
static void write_and_end(void)
{
    int fd = own_journal();
    volatile int *lines_done =
        mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t reader = fork();
    if (reader == 0) {
        char got[8192];
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)poll(NULL, 0, 30);
        while (recv(fd, got, sizeof(got), 0) > 0) {
            (void)poll(NULL, 0, 30); /* what journald does with it */
            (*lines_done)++;
        }
        _exit(0);
    }
    pretend_journal_stream();
    log_init("test", true);
    log_event(&event, NULL, "one");
    if (*lines_done != 1)
        _exit(6);
    _exit(reader > 0 ? 0 : 7);
}

static void test_journal_end(void **state)
{
    int status;
    (void)state;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)alarm((unsigned)slow_ms(30));
        write_and_end();
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == NO_NAMESPACE)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_journal(void **state)
{
    (void)state;
    check_journal(true, "<4>l\n", JOURNAL_LINES);
}

/* A program that somebody started by hand, where there is a journal, too. */
static void test_no_journal(void **state)
{
    (void)state;
    check_journal(false, "test: line 1\\x0aPRIORITY=0\n", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_daemon),      cmocka_unit_test(test_program),
        cmocka_unit_test(test_shared),      cmocka_unit_test(test_journal),
        cmocka_unit_test(test_journal_end), cmocka_unit_test(test_no_journal)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
