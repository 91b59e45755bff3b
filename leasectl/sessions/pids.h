/* SPDX-License-Identifier: ISC */
/* The pids in a message, and no more of them than a person reads. */
#ifndef TUNLEASE_LEASECTL_SESSIONS_PIDS_H
#define TUNLEASE_LEASECTL_SESSIONS_PIDS_H

#include "lib/base/buf.h"

#include <stddef.h>
#include <sys/types.h>

/* Adds the pid of number n, counted from 0; of many only the first. */
void pids_add(struct buf *text, size_t n, pid_t pid);

/* All that were added, each after a space. */
const char *pids_text(const struct buf *text);

#endif
