/* SPDX-License-Identifier: ISC */
#include "leasectl/top/terminal.h"

#include "leasectl/top/frame.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* xterm's names: the other screen, no cursor, no wrapping at the margin. */
static const char show[] = "\033[?1049h\033[?25l\033[?7l\033[0m\033[2J";
static const char hide[] = "\033[0m\033[?7h\033[?25h\033[?1049l";

int terminal_write(const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = write(STDOUT_FILENO, text, len);
        struct pollfd ready = {.fd = STDOUT_FILENO, .events = POLLOUT};
        if (n < 0 && errno == EAGAIN && poll(&ready, 1, 1000) > 0)
            continue;
        if (n < 0)
            return -1;
        text += n;
        len -= (size_t)n;
    }
    return 0;
}

static int set_keys(const struct terminal *t)
{
    struct termios keys = t->before;
    keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN); /* ISIG stays: ^C and ^Z are signals */
    keys.c_iflag &= ~(tcflag_t)(IXON | ICRNL | INLCR);
    keys.c_cc[VMIN] = 1;
    keys.c_cc[VTIME] = 0;
    return tcsetattr(STDIN_FILENO, TCSADRAIN, &keys);
}

/* Waits for the end of the program. It said good-bye, or the terminal is restored here. */
static void guard_terminal(const struct terminal *t, int fd)
{
    static const int ignored[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP, SIGTTOU, SIGTTIN};
    char byte;
    ssize_t n;
    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
        (void)signal(ignored[i], SIG_IGN);
    (void)close(STDERR_FILENO);
    while ((n = read(fd, &byte, 1)) < 0 && errno == EINTR)
        ;
    if (n == 0) {
        (void)!write(STDOUT_FILENO, hide, sizeof(hide) - 1);
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &t->before);
    }
    _exit(0);
}

static int start_guard(struct terminal *t)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return -1;
    t->guard = fork();
    if (t->guard == 0) {
        (void)close(fds[1]);
        guard_terminal(t, fds[0]);
    }
    (void)close(fds[0]);
    t->guard_fd = fds[1];
    if (t->guard > 0)
        return 0;
    (void)close(fds[1]);
    return -1;
}

int terminal_start(struct terminal *t)
{
    *t = (struct terminal){.guard_fd = -1};
    if (tcgetattr(STDIN_FILENO, &t->before) != 0 || start_guard(t) != 0)
        return -1;
    if (terminal_show(t) == 0)
        return 0;
    int why = errno;
    terminal_end(t);
    errno = why;
    return -1;
}

int terminal_show(struct terminal *t)
{
    if (set_keys(t) != 0)
        return -1;
    t->is_shown = true;
    return terminal_write(show, sizeof(show) - 1);
}

void terminal_hide(struct terminal *t)
{
    if (!t->is_shown)
        return;
    t->is_shown = false;
    (void)terminal_write(hide, sizeof(hide) - 1);
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &t->before);
}

void terminal_end(struct terminal *t)
{
    terminal_hide(t);
    if (t->guard_fd >= 0) {
        (void)!write(t->guard_fd, "", 1);
        (void)close(t->guard_fd);
    }
    while (t->guard > 0 && waitpid(t->guard, NULL, 0) < 0 && errno == EINTR)
        ;
    t->guard_fd = -1;
    t->guard = 0;
}

static size_t at_most(size_t n, size_t most)
{
    return n < 1 ? 1 : n < most ? n : most;
}

void terminal_size(size_t *ret_rows, size_t *ret_columns)
{
    struct winsize size = {.ws_row = 0};
    (void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    *ret_rows = at_most(size.ws_row != 0 ? size.ws_row : 24, FRAME_ROWS_MAX);
    *ret_columns = at_most(size.ws_col != 0 ? size.ws_col : 80, FRAME_COLUMNS_MAX);
}
