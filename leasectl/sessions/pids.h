/* SPDX-License-Identifier: ISC */
/* The list of pids in a message, no longer than a person reads. */
#ifndef TUNLEASE_LEASECTL_SESSIONS_PIDS_H
#define TUNLEASE_LEASECTL_SESSIONS_PIDS_H

#include "lib/base/buf.h"

#include <stddef.h>
#include <sys/types.h>

/* Adds pid, the n-th one counted from 0. Of many only the first are shown, and then "...". */
void pids_add(struct buf *text, size_t n, pid_t pid);

/* The list: a space before each pid. */
const char *pids_text(const struct buf *text);

#endif
