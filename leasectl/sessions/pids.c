/* SPDX-License-Identifier: ISC */
#include "leasectl/sessions/pids.h"

enum { PIDS_SHOWN = 16 };

void pids_add(struct buf *text, size_t n, pid_t pid)
{
    if (n < PIDS_SHOWN)
        buf_addf(text, " %d", (int)pid);
    else if (n == PIDS_SHOWN)
        buf_add(text, " ...");
}

const char *pids_text(const struct buf *text)
{
    return buf_text_or(text, " ?");
}
