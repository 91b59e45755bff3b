/* SPDX-License-Identifier: ISC */
#include "leasectl/top/action.h"

#include "leasectl/ctl_store.h"
#include "lib/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

/* It ends when it is done, also when the connection that top runs in ends meanwhile. */
static void run_child(struct ctl *ctl, struct action *a, int close_fd)
{
    static const int defaults[] = {SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGCONT, SIGWINCH};
    char *argv[ACTION_ARGS_MAX + 1] = {NULL};
    sigset_t none;
    for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
        (void)signal(defaults[i], SIG_DFL);
    (void)signal(SIGHUP, SIG_IGN);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (close_fd >= 0)
        (void)close(close_fd);
    for (int i = 0; i < a->arg_count; i++)
        argv[i] = a->args[i];
    ctl->verb = argv[0];
    ctl->now_s = clock_now_s();
    ctl->terminal = true;
    ctl->no_answer[0] = '\0';
    optind = 0;
    int code = a->run(ctl, a->arg_count, argv);
    ctl_close(ctl);
    code = ctl_finish(ctl, code);
    (void)fflush(NULL);
    _exit(code);
}

int action_start(struct ctl *ctl, struct action *a, int close_fd)
{
    struct termios settings;
    int master, slave;
    if (openpty(&master, &slave, NULL, NULL, NULL) != 0)
        return -1;
    (void)fcntl(master, F_SETFD, FD_CLOEXEC);
    (void)fcntl(master, F_SETFL, O_NONBLOCK);
    if (tcgetattr(slave, &settings) == 0) { /* lines as they are, and no echo of the answer */
        settings.c_oflag &= ~(tcflag_t)OPOST;
        settings.c_lflag &= ~(tcflag_t)ECHO;
        (void)tcsetattr(slave, TCSANOW, &settings);
    }
    a->pid = fork();
    if (a->pid == 0) {
        (void)close(master);
        if (login_tty(slave) != 0)
            _exit(EXIT_FAILED);
        run_child(ctl, a, close_fd);
    }
    int why = errno;
    (void)close(slave);
    if (a->pid < 0) {
        a->pid = 0;
        (void)close(master);
        errno = why;
        return -1;
    }
    a->fd = master;
    return 0;
}

bool action_read(struct action *a)
{
    char text[512];
    for (;;) {
        ssize_t n = read(a->fd, text, sizeof(text));
        if (n > 0 && a->output.len + (size_t)n > ACTION_OUTPUT_BYTES)
            buf_clear(&a->output); /* what it asks stands at the end */
        if (n > 0)
            buf_add_mem(&a->output, text, (size_t)n);
        else if (n < 0 && errno == EAGAIN)
            return false;
        else if (n == 0 || (n < 0 && errno != EINTR)) { /* EIO: nobody has the other end open */
            a->has_ended = true;
            return true;
        }
    }
}

/* A question does not end its line. */
bool action_asks(const struct action *a)
{
    const size_t len = a->output.len;
    return a->pid != 0 && len > 0 && buf_text(&a->output) != NULL && a->output.data[len - 1] == ' ';
}

void action_answer(struct action *a, bool yes)
{
    (void)!write(a->fd, yes ? "y\n" : "n\n", 2);
    buf_clear(&a->output); /* the question is over */
}

void action_add_summary(const struct action *a, struct buf *out)
{
    const char *text = buf_text(&a->output);
    bool is_first = true;
    while (text != NULL && *text != '\0') {
        const size_t len = strcspn(text, "\r\n");
        if (len > 0) {
            buf_add(out, is_first ? "" : "; ");
            buf_add_mem(out, text, len);
            is_first = false;
        }
        text += len + (text[len] != '\0');
    }
}

bool action_has_failed(struct action *a)
{
    int status = -1;
    while (a->pid > 0 && !a->is_reaped) {
        if (waitpid(a->pid, &status, 0) >= 0 || errno != EINTR) {
            a->is_reaped = true;
            a->has_failed = status != 0;
        }
    }
    return a->has_failed;
}

void action_release(struct action *a)
{
    if (a->has_ended)
        (void)action_has_failed(a);
    if (a->pid > 0)
        (void)close(a->fd);
    buf_release(&a->output);
    *a = (struct action){.pid = 0};
}
