/* SPDX-License-Identifier: ISC */
/*
 * Ends the program if the store does not open. The owner of its directory can make open(2) wait for
 * ever, with a FIFO or with a lease on the file (fcntl(2), F_SETLEASE); a busy machine is only
 * slow. The kernel's count of this process's reads tells the two apart: as long as it grows, the
 * program waits, up to a minute.
 */
#ifndef TUNLEASE_LEASECTL_OPEN_WATCHDOG_H
#define TUNLEASE_LEASECTL_OPEN_WATCHDOG_H

struct ctl;

/* From now on the program prints why and ends with EXIT_STORE, once limit_ms have passed and
 * nothing was read for a second. Call it before privilege_become_owner: then /proc/self/io can be
 * read. */
void open_watchdog_start(const struct ctl *ctl, int limit_ms);

/* Call it before anything is printed: printing may wait for a reader. */
void open_watchdog_stop(void);

#endif
