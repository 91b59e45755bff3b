/* SPDX-License-Identifier: ISC */
#include "leasectl/top/signals.h"

#include <stddef.h>

static volatile sig_atomic_t got_end, got_stop, got_continue, got_resize;

static const int handled[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH};

static void on_signal(int sig)
{
    if (sig == SIGWINCH)
        got_resize = 1;
    else if (sig == SIGTSTP)
        got_stop = 1;
    else if (sig == SIGCONT)
        got_continue = 1;
    else
        got_end = 1;
}

void signals_catch(sigset_t *ret_waiting)
{
    const struct sigaction action = {.sa_handler = on_signal};
    sigset_t blocked;
    (void)sigemptyset(&blocked);
    for (size_t i = 0; i < sizeof(handled) / sizeof(handled[0]); i++) {
        (void)sigaddset(&blocked, handled[i]);
        (void)sigaction(handled[i], &action, NULL);
    }
    (void)sigprocmask(SIG_BLOCK, &blocked, ret_waiting);
    for (size_t i = 0; i < sizeof(handled) / sizeof(handled[0]); i++)
        (void)sigdelset(ret_waiting, handled[i]);
}

void signals_release(const sigset_t *waiting)
{
    static const int ending[] = {SIGINT, SIGTERM, SIGQUIT};
    for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
        (void)signal(ending[i], SIG_DFL);
    (void)sigprocmask(SIG_SETMASK, waiting, NULL);
}

struct signals signals_take(void)
{
    const struct signals taken = {.end = got_end != 0,
                                  .stop = got_stop != 0,
                                  .go_on = got_continue != 0,
                                  .resized = got_resize != 0};
    got_stop = got_continue = got_resize = 0;
    return taken;
}

void signals_stop_here(void)
{
    const struct sigaction action = {.sa_handler = on_signal};
    sigset_t stop, before;
    (void)signal(SIGTSTP, SIG_DFL);
    (void)raise(SIGTSTP);
    (void)sigemptyset(&stop);
    (void)sigaddset(&stop, SIGTSTP);
    (void)sigprocmask(SIG_UNBLOCK, &stop, &before); /* stops here */
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    (void)sigaction(SIGTSTP, &action, NULL);
}
