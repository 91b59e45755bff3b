/* SPDX-License-Identifier: ISC */
/* The descriptors that a program starts with, and its limit of open files (RLIMIT_NOFILE). */
#ifndef TUNLEASE_BASE_DESCRIPTORS_H
#define TUNLEASE_BASE_DESCRIPTORS_H

/*
 * Opens /dev/null on each of descriptors 0 to 2 that is closed. Else the next file that is opened
 * would get its number, and what is meant for the output or the log would be written into that.
 * Standard output is opened for reading, so that a write to it fails and is reported as lost.
 */
void descriptors_open_standard(void);

/*
 * Raises the soft limit towards the hard one. A caller may need two descriptors for each of
 * thousands of sessions; the usual soft limit is 1024, for select(2), which no program here calls.
 * Programs that the caller starts inherit the limit.
 */
void descriptors_raise_limit(void);

#endif
