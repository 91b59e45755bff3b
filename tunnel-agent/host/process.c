/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/host/process.h"

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "tunnel-agent/host/platform.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { POLL_MS = 100 };

/* Not every system has pipe2(2). We have one thread, so nothing forks between the calls. */
static int open_pipe(int fds[2])
{
    if (pipe(fds) != 0)
        return -1;
    (void)fcntl(fds[0], F_SETFD, FD_CLOEXEC);
    (void)fcntl(fds[1], F_SETFD, FD_CLOEXEC);
    (void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
    return 0;
}

static void close_pipe(int fds[2])
{
    for (int i = 0; i < 2; i++)
        if (fds[i] >= 0)
            (void)close(fds[i]);
}

/* True in the child of a process_call. What it starts must stay in its group, because whoever
 * cancels the call kills the group. */
static bool within_call;

/* In the child: sets up descriptors 0-2, default signals and a process group. False: that failed.
 */
static bool become_child(pid_t parent, int in, int out, int err)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGCHLD, SIGCONT, SIGUSR1};
    sigset_t none;
    if (!within_call)
        (void)setpgid(0, 0);
    platform_die_with_parent(parent);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        (void)signal(signals[i], SIG_DFL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    int null = open("/dev/null", O_RDWR);
    if (null < 0 || dup2(in >= 0 ? in : null, 0) < 0 || dup2(out >= 0 ? out : null, 1) < 0)
        return false;
    if (dup2(err >= 0 ? err : 1, 2) < 0)
        return false;
    if (null > 2)
        (void)close(null);
    return true;
}

/* in: its standard input; -1: /dev/null. tied: see process_start_tied. */
static pid_t start(const char *const argv[], int in, int *ret_out, int *ret_err, bool tied)
{
    int out[2] = {-1, -1}, err[2] = {-1, -1};
    pid_t pid = -1, parent = getpid();

    if (ret_out != NULL && open_pipe(out) != 0)
        goto out;
    if (ret_err != NULL && open_pipe(err) != 0)
        goto out;
    pid = fork();
    if (pid < 0)
        goto out;
    if (pid == 0) {
        if (!become_child(parent, in, out[1], err[1]))
            _exit(PROCESS_NOT_STARTED);
        /* We parse what ssh prints, so it must be in English. Nobody is there to type a passphrase.
         */
        (void)setenv("LC_ALL", "C", 1);
        (void)setenv("SSH_ASKPASS_REQUIRE", "never", 1);
        if (tied)
            platform_keep_death_signal();
        const char *slash = strrchr(argv[0], '/');
        (void)execvp(slash != NULL ? slash + 1 : argv[0], (char *const *)(uintptr_t)argv);
        _exit(PROCESS_NOT_STARTED);
    }
    if (!within_call)
        (void)setpgid(pid, pid); /* parent and child both: a kill of the group must find it */
    if (ret_out != NULL) {
        *ret_out = out[0];
        out[0] = -1;
    }
    if (ret_err != NULL) {
        *ret_err = err[0];
        err[0] = -1;
    }
out:
    close_pipe(out);
    close_pipe(err);
    return pid;
}

pid_t process_start(const char *const argv[], int *ret_out, int *ret_err)
{
    return start(argv, -1, ret_out, ret_err, false);
}

pid_t process_start_tied(const char *const argv[])
{
    return start(argv, -1, NULL, NULL, true);
}

pid_t process_call(int (*run)(void *ctx), void *ctx, int *ret_out)
{
    int out[2] = {-1, -1};
    pid_t parent = getpid();
    if (open_pipe(out) != 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        if (!become_child(parent, -1, out[1], -1))
            _exit(PROCESS_NOT_STARTED);
        within_call = true;
        _exit(run(ctx)); /* exit(3) would flush and close what is the parent's */
    }
    if (pid > 0) {
        (void)setpgid(pid, pid);
        *ret_out = out[0];
        out[0] = -1;
    }
    close_pipe(out);
    return pid;
}

/* The group is killed before the child is reaped: until then nobody else can get its number. */
pid_t process_reap(pid_t pid, bool wait, int *ret_status)
{
    siginfo_t info = {0};
    int rc;
    do
        rc = waitid(pid > 0 ? P_PID : P_ALL, (id_t)pid, &info,
                    WEXITED | WNOWAIT | (wait ? 0 : WNOHANG));
    while (rc != 0 && errno == EINTR);
    if (rc != 0 || info.si_pid <= 0)
        return 0;
    (void)kill(-info.si_pid, SIGKILL);
    while (waitpid(info.si_pid, ret_status, 0) < 0 && errno == EINTR)
        ;
    return info.si_pid;
}

void process_signal(pid_t pid, int signal_no)
{
    (void)kill(within_call ? pid : -pid, signal_no);
}

static bool has_ended(pid_t pid)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

int process_status(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Reads what is there. False: fd is at its end, or broken. */
static bool take(int fd, struct buf *out)
{
    char chunk[4096];
    ssize_t n = read(fd, chunk, sizeof(chunk));
    if (n > 0 && out->len < PROCESS_OUTPUT_MAX)
        buf_add_mem(out, chunk, (size_t)n);
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* Reads both pipes until they end or the program does; fds[i] is closed, and -1 if it was opened at
 * all. False: that took until end_ms. */
static bool read_all(pid_t pid, int fds[2], struct buf *const outs[2], int64_t end_ms)
{
    while (fds[0] >= 0 || fds[1] >= 0) {
        struct pollfd p[2] = {{.fd = fds[0], .events = POLLIN}, {.fd = fds[1], .events = POLLIN}};
        int64_t left_ms = end_ms - clock_monotonic_ms();
        if (left_ms <= 0)
            return false;
        /* A process that it started may keep a pipe open after its end. */
        if (poll(p, 2, left_ms < POLL_MS ? (int)left_ms : POLL_MS) <= 0 && has_ended(pid) &&
            poll(p, 2, 0) <= 0)
            return true;
        for (size_t i = 0; i < 2; i++)
            if (fds[i] >= 0 && p[i].revents != 0 && !take(fds[i], outs[i])) {
                (void)close(fds[i]);
                fds[i] = -1;
            }
    }
    return true;
}

/* Waits for the end of pid. The exit status as process_run returns it. */
static int finish(pid_t pid, int fds[2], struct buf *const outs[2], int64_t end_ms)
{
    int status = 0;
    bool in_time = read_all(pid, fds, outs, end_ms);
    if (!in_time)
        process_signal(pid, SIGKILL);
    (void)process_reap(pid, true, &status);
    close_pipe(fds);
    return in_time ? process_status(status) : PROCESS_OUT_OF_TIME;
}

int process_run(const char *const argv[], int64_t timeout_ms, struct buf *out)
{
    int64_t end_ms = clock_monotonic_ms() + timeout_ms;
    int fds[2] = {-1, -1};
    pid_t pid = process_start(argv, &fds[0], NULL);
    return pid > 0 ? finish(pid, fds, (struct buf *const[]){out, NULL}, end_ms)
                   : PROCESS_NOT_STARTED;
}

int process_run_call(int (*run)(void *ctx), void *ctx, int64_t timeout_ms, struct buf *out)
{
    int64_t end_ms = clock_monotonic_ms() + timeout_ms;
    int fds[2] = {-1, -1};
    pid_t pid = process_call(run, ctx, &fds[0]);
    return pid > 0 ? finish(pid, fds, (struct buf *const[]){out, NULL}, end_ms)
                   : PROCESS_NOT_STARTED;
}

int process_run_with(const char *const argv[], const char *input, int64_t timeout_ms,
                     struct buf *out, struct buf *err)
{
    int64_t end_ms = clock_monotonic_ms() + timeout_ms;
    int fds[2] = {-1, -1}, in[2] = {-1, -1}, code = PROCESS_NOT_STARTED;
    const size_t len = strlen(input);
    /* The pipe takes so little at once, before anybody reads it. */
    if (len > PROCESS_INPUT_MAX || open_pipe(in) != 0)
        return PROCESS_NOT_STARTED;
    (void)fcntl(in[0], F_SETFL, 0); /* ssh expects an input that blocks */
    if (write(in[1], input, len) == (ssize_t)len) {
        (void)close(in[1]);
        in[1] = -1;
        pid_t pid = start(argv, in[0], &fds[0], &fds[1], false);
        if (pid > 0)
            code = finish(pid, fds, (struct buf *const[]){out, err}, end_ms);
    }
    close_pipe(in);
    return code;
}
