/* SPDX-License-Identifier: ISC */
/*
 * How long the store may take to open. Whoever owns its directory can keep open(2) waiting there
 * for ever, with a FIFO or a lease on the file (fcntl(2), F_SETLEASE); a busy machine is only slow.
 * The two are told apart by what the kernel counts: a store that is being read is waited for.
 */
#ifndef TUNLEASE_LEASECTL_OPEN_WATCHDOG_H
#define TUNLEASE_LEASECTL_OPEN_WATCHDOG_H

struct ctl;

/* From now on the program ends with EXIT_STORE and what was seen, when after limit_ms nothing more
 * is read for a second. As the user it runs as: before privilege.h takes another. */
void open_watchdog_start(const struct ctl *ctl, int limit_ms);

/* Before anything is printed: that may wait for its reader. */
void open_watchdog_stop(void);

#endif
