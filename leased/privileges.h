/* SPDX-License-Identifier: ISC */
/* Gives up privileges for good. */
#ifndef TUNLEASE_LEASED_PRIVILEGES_H
#define TUNLEASE_LEASED_PRIVILEGES_H

/* Started as root: becomes the user _tunlease and keeps only CAP_KILL. Changes nothing if leased
 * was not started as root, or in a private instance, where that user does not exist. 0; or -1,
 * logged. */
int privileges_drop(void);

/* For http: drops all capabilities, unless it runs as root. 0; or -1 with errno. */
int privileges_drop_all(void);

#endif
