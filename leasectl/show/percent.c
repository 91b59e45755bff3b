/* SPDX-License-Identifier: ISC */
#include "leasectl/show/percent.h"

#include "lib/base/clock.h"

#include <stdio.h>
#include <unistd.h>

enum { SILENT_MS = 500 };

void percent_begin(struct percent *p, const char *what)
{
    *p = (struct percent){
        .what = what, .begun_ms = clock_monotonic_ms(), .terminal = isatty(STDERR_FILENO) == 1};
}

void percent_show(void *arg, unsigned percent)
{
    struct percent *p = arg;
    if (!p->terminal || percent == p->shown || clock_monotonic_ms() - p->begun_ms < SILENT_MS)
        return;
    p->shown = percent;
    (void)fprintf(stderr, "\r%s: %u %%", p->what, percent);
}

void percent_end(struct percent *p)
{
    if (p->shown != 0)
        (void)fprintf(stderr, "\r\033[K");
}
