/* SPDX-License-Identifier: ISC */
/* Takes from this process what a stranger's program needs least. */
#ifndef TUNLEASE_JOIN_CONFINE_H
#define TUNLEASE_JOIN_CONFINE_H

/*
 * Afterwards the process has descriptors 0 to 2 alone and no environment, leaves no core, cannot be
 * traced or read by another of its uid, starts no process, writes no file and gains no rights by
 * exec. What cannot be taken is left: none of it decides whether somebody may join.
 */
void confine_self(void);

#endif
