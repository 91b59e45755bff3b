/* SPDX-License-Identifier: ISC */
/* What leased may do, and gives up for good. */
#ifndef TUNLEASE_LEASED_PRIVILEGES_H
#define TUNLEASE_LEASED_PRIVILEGES_H

/* Of a program that was started as root: the user _tunlease from here on, with CAP_KILL alone. A
 * private instance, where that user does not exist, stays who it is. 0 or -1, logged. */
int privileges_drop(void);

/* For http: no capability is left, but to root. 0; or -1 with errno. */
int privileges_drop_all(void);

#endif
