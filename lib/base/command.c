/* SPDX-License-Identifier: ISC */
#include "lib/base/command.h"

#include "lib/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

/* SIGCHLD is noted only; all others are passed on. */
static const int noted[] = {SIGCHLD, SIGHUP,  SIGINT,   SIGQUIT, SIGTERM,
                            SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT, SIGTSTP};
enum { NOTED = sizeof(noted) / sizeof(noted[0]) };

static volatile sig_atomic_t arrived[NOTED];
static sigset_t mask_before, mask_waiting; /* the second lets all that is noted in */

static void note_signal(int signal_no)
{
    for (size_t i = 0; i < NOTED; i++)
        if (noted[i] == signal_no)
            arrived[i] = 1;
}

void command_begin(void)
{
    const struct sigaction note = {.sa_handler = note_signal};
    struct sigaction before;
    sigset_t held;
    (void)sigemptyset(&held);
    for (size_t i = 0; i < NOTED; i++) {
        /* One that is ignored, as by nohup(1), stays so, in the command as well. */
        if (noted[i] != SIGCHLD && sigaction(noted[i], NULL, &before) == 0 &&
            before.sa_handler == SIG_IGN)
            continue;
        (void)sigaddset(&held, noted[i]);
        (void)sigaction(noted[i], &note, NULL);
    }
    /* So that whoever is not in the foreground may hand the terminal over. */
    (void)sigaddset(&held, SIGTTOU);
    (void)sigprocmask(SIG_BLOCK, &held, &mask_before);
    mask_waiting = mask_before;
    for (size_t i = 0; i < NOTED; i++)
        (void)sigdelset(&mask_waiting, noted[i]);
}

struct running {
    const struct command_plan *plan;
    pid_t pid;         /* the command, and its process group */
    int terminal;      /* -1: none */
    bool foreground;   /* it has had the terminal, and gets it again */
    bool keeper_ended; /* so the command is being ended */
    bool killed;
    int64_t kill_at_ms;
};

/* ---- the terminal ---- */

static bool we_have_terminal(const struct running *r)
{
    return r->terminal >= 0 && tcgetpgrp(r->terminal) == getpgrp();
}

static void hand_over(const struct running *r)
{
    if (we_have_terminal(r))
        (void)tcsetpgrp(r->terminal, r->pid);
}

static void take_back(const struct running *r)
{
    if (r->terminal >= 0 && tcgetpgrp(r->terminal) == r->pid)
        (void)tcsetpgrp(r->terminal, getpgrp());
}

/* A pager behind a pipe reads the terminal itself. So there the command gets it only when it asks
 * for it, which stops it with SIGTTIN or SIGTTOU. */
static bool output_is_pipe(void)
{
    struct stat st;
    return fstat(STDOUT_FILENO, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

/* Stops our process group as the command was stopped, and returns when it goes on. Where nobody
 * could continue us, the kernel does not stop us, and the command goes on at once. */
static void stop_ourselves(int signal_no)
{
    const struct sigaction stop = {.sa_handler = SIG_DFL};
    struct sigaction before;
    sigset_t only, held;
    (void)sigemptyset(&only);
    (void)sigaddset(&only, signal_no);
    (void)sigaction(signal_no, &stop, &before);
    (void)kill(0, signal_no);
    (void)sigprocmask(SIG_UNBLOCK, &only, &held);
    (void)sigprocmask(SIG_SETMASK, &held, NULL);
    (void)sigaction(signal_no, &before, NULL);
}

static void signal_group(const struct running *r, int signal_no)
{
    (void)kill(-r->pid, signal_no);
}

static void on_stop(struct running *r, int signal_no)
{
    bool wants_terminal = signal_no == SIGTTIN || signal_no == SIGTTOU;
    if (r->keeper_ended)
        return; /* it has SIGTERM and SIGCONT, and gets SIGKILL */
    if (!wants_terminal || !we_have_terminal(r)) {
        take_back(r);
        stop_ourselves(signal_no);
    }
    if (wants_terminal)
        r->foreground = true;
    if (r->foreground)
        hand_over(r);
    signal_group(r, SIGCONT);
}

/* ---- start ---- */

static void exec_command(const struct running *r, pid_t parent, int report)
{
    (void)setpgid(0, 0);
    if (r->foreground && r->terminal >= 0)
        (void)tcsetpgrp(r->terminal, getpid());
    if (r->plan->become == NULL || r->plan->become(r->plan->ctx) == 0) {
#ifdef __linux__
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* not before: a change of the user clears it */
#endif
        if (getppid() != parent) /* it died before the line above */
            _exit(COMMAND_NOT_STARTED);
        (void)signal(SIGPIPE, SIG_DFL); /* which our programs ignore */
        (void)sigprocmask(SIG_SETMASK, &mask_before, NULL);
        (void)execvp(r->plan->argv[0], r->plan->argv);
    }
    int why = errno;
    (void)!write(report, &why, sizeof(why));
    _exit(COMMAND_NOT_STARTED);
}

/* 0, or the errno that keeps it from starting. */
static int start(struct running *r)
{
    int report[2], why = 0;
    pid_t parent = getpid();
    if (pipe(report) != 0)
        return errno;
    (void)fcntl(report[0], F_SETFD, FD_CLOEXEC);
    (void)fcntl(report[1], F_SETFD, FD_CLOEXEC);
    r->foreground = we_have_terminal(r) && !output_is_pipe();
    r->pid = fork();
    if (r->pid == 0)
        exec_command(r, parent, report[1]);
    if (r->pid < 0)
        why = errno;
    else
        (void)setpgid(r->pid, r->pid); /* both do it: whoever is first needs it */
    (void)close(report[1]);
    if (r->pid > 0) {
        ssize_t n;
        tie_send(r->plan->keeper->tie, (int)r->pid);
        do
            n = read(report[0], &why, sizeof(why));
        while (n < 0 && errno == EINTR);
        if (n != (ssize_t)sizeof(why))
            why = 0;
    }
    (void)close(report[0]);
    return why;
}

/* ---- end ---- */

/* Whether a child is in the state that flags name; the signal or status is in *ret. */
static bool has(pid_t pid, int flags, siginfo_t *ret)
{
    memset(ret, 0, sizeof(*ret));
    return pid > 0 && waitid(P_PID, (id_t)pid, ret, flags | WNOHANG) == 0 && ret->si_pid == pid;
}

/* SIGCONT, because a stopped process does not handle SIGTERM. */
static void end_command(struct running *r)
{
    r->keeper_ended = true;
    r->kill_at_ms = clock_monotonic_ms() + COMMAND_GRACE_MS;
    signal_group(r, SIGTERM);
    signal_group(r, SIGCONT);
}

static int reap(struct running *r)
{
    int status = 0;
    if (r->keeper_ended)
        signal_group(r, SIGKILL);
    /* Before its number is free for another process group. */
    tie_send(r->plan->keeper->tie, 0);
    while (waitpid(r->pid, &status, 0) < 0 && errno == EINTR)
        ;
    take_back(r);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- the loop ---- */

static void wait_for_signal(const struct running *r)
{
    struct timespec left = {0}, *limit = NULL;
    if (r->keeper_ended && !r->killed) {
        int64_t ms = r->kill_at_ms - clock_monotonic_ms();
        ms = ms > 0 ? ms : 0;
        left = (struct timespec){.tv_sec = (time_t)(ms / 1000), .tv_nsec = ms % 1000 * 1000000};
        limit = &left;
    }
    (void)pselect(0, NULL, NULL, NULL, limit, &mask_waiting);
}

static void pass_signals_on(const struct running *r)
{
    for (size_t i = 0; i < NOTED; i++) {
        if (!arrived[i])
            continue;
        arrived[i] = 0;
        if (noted[i] == SIGCHLD)
            continue;
        if (noted[i] == SIGCONT && r->foreground)
            hand_over(r);
        signal_group(r, noted[i]);
    }
}

static int run_to_end(struct running *r)
{
    siginfo_t seen;
    for (;;) {
        if (has(r->pid, WEXITED | WNOWAIT, &seen))
            return reap(r);
        if (has(r->pid, WSTOPPED, &seen))
            on_stop(r, seen.si_status);
        if (!r->keeper_ended && has(r->plan->keeper->pid, WEXITED | WNOWAIT, &seen))
            end_command(r);
        if (r->keeper_ended && !r->killed && clock_monotonic_ms() >= r->kill_at_ms) {
            r->killed = true;
            signal_group(r, SIGKILL);
        }
        pass_signals_on(r);
        wait_for_signal(r);
    }
}

int command_run(const struct command_plan *plan, int *ret_errno, bool *ret_keeper_ended)
{
    struct running r = {.plan = plan, .terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)};
    int status = COMMAND_NOT_STARTED;
    *ret_keeper_ended = false;
    *ret_errno = start(&r);
    if (*ret_errno == 0) {
        status = run_to_end(&r);
        *ret_keeper_ended = r.keeper_ended;
    } else if (r.pid > 0) {
        (void)reap(&r);
    } else {
        tie_send(plan->keeper->tie, 0);
    }
    if (r.terminal >= 0)
        (void)close(r.terminal);
    return status;
}
