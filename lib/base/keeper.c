/* SPDX-License-Identifier: ISC */
#include "lib/base/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Standard input and output are those of the command: a reader of its output waits for the end of
 * all who could write there. */
static void leave_input_and_output(void)
{
    int null = open("/dev/null", O_RDWR);
    if (null < 0)
        return;
    (void)dup2(null, STDIN_FILENO);
    (void)dup2(null, STDOUT_FILENO);
    if (null > STDERR_FILENO)
        (void)close(null);
}

static void hold_signals(void)
{
    static const int held[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGTSTP};
    sigset_t block, child;
    (void)sigemptyset(&block);
    for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++)
        (void)sigaddset(&block, held[i]);
    (void)sigprocmask(SIG_BLOCK, &block, NULL);
    (void)signal(SIGCHLD, SIG_DFL);
    (void)sigemptyset(&child);
    (void)sigaddset(&child, SIGCHLD);
    (void)sigprocmask(SIG_UNBLOCK, &child, NULL);
}

int keeper_start(struct keeper *k, int (*run)(void *ctx, int tie), void *ctx)
{
    int ends[2];
    *k = (struct keeper){.tie = -1};
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        return -1;
    for (int i = 0; i < 2; i++)
        (void)fcntl(ends[i], F_SETFD, FD_CLOEXEC);
    pid_t program = getpid(), pid = fork();
    if (pid == 0) {
        (void)close(ends[0]);
        (void)setsid();
        leave_input_and_output();
        hold_signals();
        int code = run(ctx, ends[1]);
        if (getppid() == program) /* it may be stopped, and has to end the command */
            (void)kill(program, SIGCONT);
        _exit(code); /* exit(3) would write the program's buffers, too */
    }
    (void)close(ends[1]);
    if (pid < 0) {
        (void)close(ends[0]);
        return -1;
    }
    *k = (struct keeper){.pid = pid, .tie = ends[0]};
    return 0;
}

void tie_send(int tie, int number)
{
    const char *at = (const char *)&number;
    size_t left = sizeof(number);
    while (left > 0) {
        ssize_t n = send(tie, at, left, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            return;
        if (n > 0) {
            at += n;
            left -= (size_t)n;
        }
    }
}

enum tie_word tie_read(int tie, int timeout_ms, int *ret_number)
{
    struct pollfd p = {.fd = tie, .events = POLLIN};
    int number = 0;
    size_t got = 0;
    int ready = poll(&p, 1, timeout_ms);
    if (ready <= 0)
        return TIE_LATE;
    while (got < sizeof(number)) {
        ssize_t n = read(tie, (char *)&number + got, sizeof(number) - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return TIE_CUT;
        got += (size_t)n;
    }
    *ret_number = number;
    return TIE_NUMBER;
}

int keeper_wait(struct keeper *k)
{
    int status = 0;
    if (k->tie >= 0)
        (void)shutdown(k->tie, SHUT_WR);
    while (k->pid > 0 && waitpid(k->pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (k->tie >= 0)
        (void)close(k->tie);
    *k = (struct keeper){.tie = -1};
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void keeper_kill_group(pid_t group)
{
    if (group > 1)
        (void)kill(-group, SIGKILL);
}
