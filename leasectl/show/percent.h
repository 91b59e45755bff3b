/* SPDX-License-Identifier: ISC */
/* How far long work is, on a terminal: a line on standard error that is redrawn in place. */
#ifndef TUNLEASE_LEASECTL_SHOW_PERCENT_H
#define TUNLEASE_LEASECTL_SHOW_PERCENT_H

#include <stdbool.h>
#include <stdint.h>

struct percent {
    const char *what;
    int64_t begun_ms;
    unsigned shown; /* 0: nothing is shown yet */
    bool terminal;
};

void percent_begin(struct percent *p, const char *what);

/* arg: a struct percent. Shows nothing in the first half second. */
void percent_show(void *arg, unsigned percent);

void percent_end(struct percent *p); /* clears the line */

#endif
