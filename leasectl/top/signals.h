/* SPDX-License-Identifier: ISC */
/* The signals of `leasectl top`: all that it handles are blocked but while it waits or writes, so
 * that none comes between a look at the flags and the wait. */
#ifndef TUNLEASE_LEASECTL_TOP_SIGNALS_H
#define TUNLEASE_LEASECTL_TOP_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/* Handles and blocks them. *ret_waiting: the mask for a wait. */
void signals_catch(sigset_t *ret_waiting);

/* From here on a signal ends the program, also while the terminal takes nothing. */
void signals_release(const sigset_t *waiting);

/* What has come since the last call. */
struct signals {
    bool end;     /* of the program: stays set */
    bool stop;    /* ^Z */
    bool go_on;   /* after a stop */
    bool resized; /* the terminal */
};
struct signals signals_take(void);

/* Stops as SIGTSTP would have, until SIGCONT. */
void signals_stop_here(void);

#endif
